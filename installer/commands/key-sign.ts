import { InvalidArgumentError, Option } from "commander";
import { parseDate } from "../../routes/model/date.ts";
import { parseDuration } from "../../routes/model/duration.ts";
import { isKey } from "../../routes/model/key.ts";
import { DEFAULT_SOURCE, MAX_KEY } from "../../routes/model/names.ts";
import { LAST_EXPIRES } from "../../routes/model/signed-key.ts";
import { UsageError } from "../../shared/errors.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { emit, type Format, outputOption } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { dateOf } from "../keys/judge.ts";
import { readKeyFile } from "../keys/key-file.ts";
import { signKey } from "../keys/sign.ts";
import { parseId } from "./key-generate.ts";

interface Flags {
  ttl?: number;
  expires?: number;
  services?: string[];
  keyFile: string;
  id?: string;
  output: Format;
}

export const keySign: Register = (group, io) => {
  defineCommand(group, {
    usage: "sign <key>",
    description: `Prints a signed key, alone, on stdout. It stands wherever the key itself would: in the header, the cookie, the query or the baggage that the proxies' \`keys\` name.

Whoever has it can use the key until it ends, so let it end soon. All that one key has signed ends at once when its entry is taken out of \`edge.keys\`.`,
    examples: [
      [
        "for two hours and two services",
        "keyway key sign pr-42 --ttl 2h --services reviews,ratings --key-file 2026-11.key",
      ],
      [
        "in a request",
        'curl -H "x-routing-key: $(keyway key sign pr-42 --ttl 10m --key-file 2026-11.key)" https://shop.example/',
      ],
      ["from a secret store", "read-secret keyway | keyway key sign pr-42 --ttl 2h --key-file - -o json"],
    ],
  })
    .option("--ttl <duration>", "how long it counts from now on: 2h, 90m, 3d12h", parseTtl)
    .addOption(
      new Option("--expires <date>", "when it ends: 2030-01-31T12:00:00Z").argParser(parseExpires).conflicts("ttl"),
    )
    .option(
      "--services <names>",
      "the services that it is meant for, with commas: reviews,ratings.shop (default: all)",
      parseServices,
    )
    .requiredOption(
      "--key-file <file>",
      "what signs, from `keyway key generate`, or a private key in PEM; - reads stdin",
    )
    .option("--id <id>", "the id of the key, where the file does not say it", parseId)
    .addOption(outputOption())
    .action(async (key: string, flags: Flags) => {
      if (!isKey(key))
        throw new UsageError(
          `a key has 1 to ${MAX_KEY} printable ASCII characters, without space, comma and semicolon`,
          { next: "sign the key of a route, as `keyway route list` shows it" },
        );
      const now = Math.floor(Date.now() / 1000);
      const expires = flags.expires ?? (flags.ttl === undefined ? undefined : now + flags.ttl);
      if (expires === undefined)
        throw new UsageError("until when does it count?", { next: "add --ttl 2h, or --expires with a date" });
      if (expires <= now)
        throw new UsageError(`--expires ${dateOf(expires)} is past`, { next: "name a later date, or --ttl 2h" });
      if (expires > LAST_EXPIRES)
        throw new UsageError(`--expires ${dateOf(expires)} is later than any signed key ends`, {
          next: `the last second is ${dateOf(LAST_EXPIRES)}; let keys end soon`,
        });
      const signer = await readKeyFile(flags.keyFile, flags.id, io);
      const services = flags.services ?? [];
      const token = signKey(signer, { key, expires, services });
      const data = { token, key, expires: dateOf(expires), services, id: signer.id };
      emit(io, flags.output, data, () => `${token}\n`);
      const whom = services.length === 0 ? "all services" : services.join(", ");
      progress(io).done(`${key} counts for ${whom} until ${dateOf(expires)}, signed by ${signer.id}`);
      progress(io).next(`send it as the key: curl -H "${DEFAULT_SOURCE.slice("header:".length)}: TOKEN" URL`);
    });
};

function parseTtl(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new InvalidArgumentError("expected a duration like 2h, 90m or 3d12h.");
  return seconds;
}

function parseExpires(text: string): number {
  const seconds = parseDate(text);
  if (seconds === undefined) throw new InvalidArgumentError("expected a date like 2030-01-31T12:00:00Z.");
  return seconds;
}

function parseServices(text: string): string[] {
  return text.split(",").map(parseServiceName);
}

export function parseServiceName(text: string): string {
  if (/^[a-zA-Z0-9]([-.\w]*[a-zA-Z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError(`"${text}" is no service's name: NAME or NAME.NAMESPACE, without a port.`);
}
