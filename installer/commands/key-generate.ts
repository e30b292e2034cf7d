import { InvalidArgumentError, Option } from "commander";
import { MAX_KEY_ID } from "../../routes/model/names.ts";
import { UsageError } from "../../shared/errors.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { type Format, toJson, toYaml } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { ALGORITHMS, type Algorithm, entryOf, generateKey, isKeyId, writeKeyFile } from "../keys/key-file.ts";

interface Flags {
  id: string;
  algorithm: Algorithm;
  keyFile: string;
  output: Exclude<Format, "table">;
}

export const keyGenerate: Register = (group, io) => {
  defineCommand(group, {
    usage: "generate",
    description: `Makes a key that signs. What signs goes into the file, which you alone can read; what verifies is printed, as a route file has it, for every proxy that verifies signed keys.

With ecdsa (P-256) and rsa a proxy holds the public key alone, so that nobody can sign with what it holds. With hmac it holds the secret itself, and whoever can read the proxy's configuration (its config dump, the WasmPlugin) can sign; the secret is never printed, so copy it from the file.`,
    examples: [
      ["a key for November", "keyway key generate --id 2026-11 --key-file 2026-11.key"],
      ["the entry as JSON", "keyway key generate --id 2026-11 --key-file 2026-11.key -o json"],
    ],
  })
    .requiredOption("--id <id>", "the name of the key, which every signed key says: letters, digits, . - _", parseId)
    .requiredOption("--key-file <file>", "the new file for what signs")
    .addOption(new Option("--algorithm <algorithm>", "how it signs").choices(ALGORITHMS).default("ecdsa"))
    .addOption(new Option("-o, --output <format>", "how to print it").choices(["yaml", "json"]).default("yaml"))
    .action(async ({ id, algorithm, keyFile, output }: Flags) => {
      if (keyFile === "-")
        throw new UsageError("what signs is never printed", {
          next: "name a file that you alone can read with --key-file",
        });
      const key = generateKey(id, algorithm);
      await writeKeyFile(keyFile, key);
      const { secret, ...entry } = entryOf(key);
      const data = { edge: { accept: "signed", keys: [entry] } };
      io.out.write(output === "json" ? toJson(data) : toYaml(data));
      progress(io).done(`${keyFile} holds what signs; keep it where nobody else can read it`);
      progress(io).next(
        secret === undefined
          ? "put the entry into the route file of the gateways; beside an older one, both count"
          : `put \`secret\` from ${keyFile} into the entry: whoever can read a proxy's configuration can sign then`,
      );
    });
};

export function parseId(text: string): string {
  if (isKeyId(text)) return text;
  throw new InvalidArgumentError(`an id has 1 to ${MAX_KEY_ID} letters, digits, dots, dashes and underscores.`);
}
