// The decision that routes/ makes offline: written in another language, from the contract alone, it is the measure for the module's.
import { decide, type Decision as Full, type Outcome } from "../../routes/deciding/decide.ts";
import type { Configuration } from "../../routes/model/model.ts";
import { parseConfiguration } from "../../routes/reading/configuration.ts";
import type { Pairs } from "./emulator/headers.ts";
import { withPseudoHeaders } from "./emulator/slot.ts";

export type { Outcome };
export type Decision = Pick<Full, "outcome" | "key" | "to">;

const parsed = new WeakMap<object, Configuration>();

/** `table` is a plugin configuration as it is written, `asked` a request as the emulator takes it, `now` in seconds since 1970. */
export function expectedDecision(
  table: object,
  asked: { headers: Pairs; cluster: string | null; caller?: string | undefined },
  now: number,
): Decision {
  const configuration = parsed.get(table) ?? parseConfiguration(table);
  parsed.set(table, configuration);
  const { outcome, key, to } = decide(configuration, { ...asked, headers: withPseudoHeaders(asked.headers), now });
  if (outcome === "by_chance") throw new Error("nobody can foresee a choice without a sticky value");
  return { outcome, key, to };
}
