import { Option } from "commander";
import type { EdgeKey } from "../../routes/model/edge.ts";
import { isConfiguration, parseConfiguration } from "../../routes/reading/configuration.ts";
import { parseRouteFile } from "../../routes/reading/route-file.ts";
import { readYaml } from "../../routes/reading/yaml.ts";
import { KeywayError, UsageError } from "../../shared/errors.ts";
import { nameOf, readInput, readLine, withFileErrors } from "../../shared/input.ts";
import type { Io } from "../../shared/io.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { emit, type Format, outputOption } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { dateOf, judge } from "../keys/judge.ts";
import { entryOf, readKeyFile } from "../keys/key-file.ts";
import { parseId } from "./key-generate.ts";
import { parseServiceName } from "./key-sign.ts";

interface Flags {
  routes?: string;
  keyFile?: string;
  id?: string;
  service?: string;
  output: Format;
}

export const keyVerify: Register = (group, io) => {
  defineCommand(group, {
    usage: "verify <token>",
    description:
      "Says whether a signed key counts, as a proxy would: by the keys of a route file or of a plugin configuration, or by the file that signed it. " +
      "Exit code 1 says that it does not, with the reason and the counter in which proxies count it. - reads the token from stdin.",
    examples: [
      ["by what the gateways verify with", "keyway key verify TOKEN -f routes.yaml"],
      ["does it count for ratings?", "keyway key verify TOKEN -f routes.yaml --service ratings.demo"],
      ["by the file that signed it", "keyway key verify - --key-file 2026-11.key < token.txt"],
    ],
  })
    .addOption(
      new Option("-f, --routes <file>", "a route file or a plugin configuration that has `edge.keys`").conflicts(
        "keyFile",
      ),
    )
    .option("--key-file <file>", "the file that signed it, or its private key in PEM")
    .option("--id <id>", "the id of the key, where that file does not say it", parseId)
    .option(
      "--service <name>",
      "whether it counts for requests to this service: NAME, NAME.NAMESPACE or its name in full",
      parseServiceName,
    )
    .addOption(outputOption())
    .action(async (given: string, flags: Flags) => {
      const token = given === "-" ? (await readLine(io)).trim() : given;
      const keys = await keysFrom(flags, io);
      const { key, expires, services, id } = judge(token, {
        keys,
        now: Date.now() / 1000,
        service: flags.service && inFull(flags.service),
      });
      const data = { key, expires: dateOf(expires), services, id };
      const lines = [`key       ${key}`, `expires   ${dateOf(expires)}`];
      lines.push(`services  ${services.length === 0 ? "all" : services.join(", ")}`, `signed by ${id}`);
      emit(io, flags.output, data, () => `${lines.join("\n")}\n`);
      progress(io).done("it counts");
    });
};

/** As Kubernetes has it, where the namespace is said. */
function inFull(service: string): string {
  return service.split(".").length === 2 ? `${service}.svc.cluster.local` : service;
}

async function keysFrom({ routes, keyFile, id }: Flags, io: Io): Promise<readonly EdgeKey[]> {
  if (keyFile !== undefined) return [entryOf(await readKeyFile(keyFile, id, io))];
  if (routes === undefined)
    throw new UsageError("by which keys?", {
      next: "give a route file with -f, or the file that signed it with --key-file",
    });
  const text = await readInput(routes, io);
  const { value, locate } = withFileErrors(routes, () => readYaml(text));
  const { edge } = withFileErrors(routes, () =>
    isConfiguration(value) ? parseConfiguration(value, locate) : parseRouteFile(text),
  );
  if (edge?.keys !== undefined) return edge.keys;
  throw new KeywayError(`${nameOf(routes)} has no \`edge.keys\``, {
    next: "`keyway key generate` prints the entry that goes there",
  });
}
