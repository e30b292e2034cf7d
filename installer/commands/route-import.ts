import { InvalidArgumentError, Option } from "commander";
import { SYSTEMS, type System } from "../../import/kinds.ts";
import { parseDuration } from "../../routes/model/duration.ts";
import { parseSource } from "../../routes/model/sources.ts";
import { UsageError } from "../../shared/errors.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { parseName } from "../cli/flags.ts";
import { outputOption } from "../cli/output.ts";
import { changeFlags, collect, remoteFlags, type TableFlags, waitFlag } from "../cli/table-flags.ts";
import type { ImportFlags } from "../route-table/import-files.ts";

const AUTO = "auto";

interface Flags extends Omit<TableFlags, "routes">, Omit<ImportFlags, "from"> {
  from: System | typeof AUTO;
  routes?: string;
}

export const routeImport: Register = (group, io) => {
  const command = defineCommand(group, {
    usage: "import [files...]",
    description:
      "Adds routes to those of the server, in one transaction, and deletes none. A route that is there already, and differs, stops the " +
      "import unless --replace is given.\n\n" +
      "Files are route files of Keyway, or what another system's tools print: answers of Signadot's routes API, its IstioRoutes, " +
      "RoutingConfigs, sandboxes and route groups; Istio's VirtualServices, those of mt-inside/overrides among them; Okteto's Diverts; " +
      "Amalgam8's rules; pods of Bridge to Kubernetes. They may be YAML of several documents, JSON, and lists as kubectl prints them.\n\n" +
      "What can't be carried over as it is, is told by its place: narrowed, widened or dropped. With a mistake anywhere nothing is changed. " +
      "--dry-run -o yaml prints a route file, and needs no server.",
    examples: [
      ["what an installation had inline", "keyway route import routes.yaml --owner platform"],
      ["what another server had", "keyway route export --server a:8700 | keyway route import --server b:8700"],
      [
        "the header rules of VirtualServices, to look at",
        "kubectl get vs -n demo -o yaml | keyway route import --dry-run",
      ],
      [
        "Signadot's routes, as a route file",
        "kubectl get istioroutes -o yaml | keyway route import --dry-run -o yaml > routes.yaml",
      ],
      [
        "Amalgam8's rules, to services in place of tags",
        "keyway route import rules.json --map '*=service:{service}-{tag}'",
      ],
      [
        "the services that Bridge's pods need",
        "kubectl get pods,services -o yaml | keyway route import --manifests bridge.yaml",
      ],
    ],
  });
  remoteFlags(waitFlag(changeFlags(command)))
    .option(
      "-f, --routes <file>",
      "a file, as an argument says it; - reads stdin, which is read where no file is given",
    )
    .addOption(
      new Option("--from <system>", "what the files are of; told from each document unless said")
        .choices([AUTO, ...Object.keys(SYSTEMS)])
        .default(AUTO),
    )
    .option(
      "--keys <source>",
      "header:NAME: rules that compare this header become routes with keys; can be repeated",
      collectSource,
    )
    .option(
      "--map <name=target>",
      "what a tag or a workload stands for: v2=subset:v2, v2=service:{service}-v2; can be repeated",
      collect,
    )
    .option("--strict", "change nothing where anything is widened or dropped")
    .option(
      "--manifests <file>",
      "where Kubernetes objects that go with the routes are written; - is stdout",
      parseName,
    )
    .option("--replace", "replace the routes that are there and differ")
    .option("--owner <name>", "whose the routes are that say none", parseName)
    .option("--label <name=value>", "a label for the routes without it; can be repeated", collect)
    .option("--ttl <duration>", "how long the routes live that do not say when they expire", parseTtl)
    .addOption(outputOption())
    .action(async (files: string[], { from, routes, ...flags }: Flags) => {
      const { openRemote } = await import("../route-table/open.ts");
      const { importFiles } = await import("../route-table/import-files.ts");
      if (routes !== undefined && files.length > 0) {
        throw new UsageError("a file was given twice, as an argument and with -f", { next: "leave -f out" });
      }
      const paths = files.length > 0 ? files : [routes ?? "-"];
      const where = { open: () => openRemote(flags, io), isNamed: isNamed(flags, io.env) };
      await importFiles(io, paths, where, { ...flags, ...(from !== AUTO && { from }) });
    });
};

/** Whether a flag or the environment says which routes are meant. */
function isNamed(
  { server, kube, kubeconfig, context, namespace }: TableFlags,
  env: { KEYWAY_SERVER?: string },
): boolean {
  return (
    Boolean(env.KEYWAY_SERVER) || [server, kube, kubeconfig, context, namespace].some((flag) => flag !== undefined)
  );
}

function collectSource(text: string, before: string[] = []): string[] {
  const parsed = parseSource(text);
  if (parsed instanceof Error) throw new InvalidArgumentError(`${parsed.message}.`);
  if (!parsed.some(({ kind }) => kind === "header")) throw new InvalidArgumentError("expected header:NAME.");
  return [...before, text];
}

function parseTtl(text: string): string {
  if (parseDuration(text) === undefined) throw new InvalidArgumentError("expected a duration like 2h, 90m or 3d12h.");
  return text;
}
