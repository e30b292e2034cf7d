// What a name of another system stands for here, as `--map` says: `v2=subset:v2`, `version=v2=service:{service}-v2`, `*=subset:{tag}`.
import type { Reference } from "../routes/model/model.ts";
import { UsageError } from "../shared/errors.ts";

export interface Mapping {
  from: string;
  kind: "subset" | "service";
  template: string;
}

/** `flag` is the one that said it. */
export function parseMapping(typed: string, flag = "--map"): Mapping {
  const [, from, kind, template] = /^(.+)=(subset|service):(.+)$/s.exec(typed) ?? [];
  if (from !== undefined && template !== undefined && (kind === "subset" || kind === "service")) {
    return { from, kind, template };
  }
  throw new UsageError(`${flag}: "${typed}" is not NAME=subset:SUBSET or NAME=service:SERVICE`, {
    next: "write it like v2=subset:v2, or v2=service:{service}-v2",
  });
}

/** What the name stands for; undefined where no mapping says it. A mapping of that very name goes before one of `*`. */
export function mapped(name: string, service: string, mappings: readonly Mapping[]): Reference | undefined {
  const found = mappings.find(({ from }) => from === name) ?? mappings.find(({ from }) => from === "*");
  if (found === undefined) return undefined;
  // A label `version=v2` stands for its value in a name.
  const tag = name.replace(/^.*=/s, "");
  const [, own = service, rest = ""] = /^([^.:]+)(.*)$/s.exec(service) ?? [];
  const filled = found.template.replaceAll("{service}", own).replaceAll("{tag}", tag);
  if (found.kind === "subset") return { service, subset: filled };
  return found.template.includes(".") ? filled : `${filled}${rest}`;
}
