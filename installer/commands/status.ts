import { KeywayError } from "../../shared/errors.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { connectCluster, withDeadline } from "../cli/connect.ts";
import { type ClusterFlags, clusterFlags, timeoutFlag } from "../cli/flags.ts";
import { count, emit, type Format, outputOption, table } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import type { InstallationStatus, PodStatus } from "../lifecycle/status.ts";

interface Flags extends ClusterFlags {
  allNamespaces?: boolean;
  timeout: number;
  output: Format;
}

export const status: Register = (program, io) => {
  const command = defineCommand(program, {
    usage: "status",
    description:
      "Asks every selected proxy, through the API server, which version it runs, how many routes it has, and how many requests " +
      "it routed or found without their target, and which targets it can't reach now. Exit code 1 when anything is wrong: a proxy " +
      "that does not run the installed version, an object that is gone or was edited, a target that is missing.",
    examples: [
      ["the installations of a namespace", "keyway status -n demo"],
      ["everything, for a program", "keyway status -A -o json"],
    ],
  });
  timeoutFlag(clusterFlags(command), 120)
    .option("-A, --all-namespaces", "look in all namespaces")
    .addOption(outputOption())
    .action(async (flags: Flags) => {
      const limited = withDeadline(io, flags.timeout);
      const { problemsOf, statusOf } = await import("../lifecycle/status.ts");
      const cluster = await connectCluster(flags, limited);
      const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? cluster.namespace);
      const { istioNamespace } = flags;
      const found = await statusOf({ cluster, namespace, istioNamespace, signal: limited.signal });
      emit(io, flags.output, found, () => found.map((one) => installationText(one)).join("\n"));
      const steps = progress(io);
      if (found.length === 0) steps.warn(`nothing is installed in ${namespace ?? "any namespace"}`);
      const problems = found.flatMap((one) =>
        problemsOf(one).map((problem) => `${one.namespace}/${one.name}: ${problem}`),
      );
      for (const problem of problems) steps.warn(problem);
      if (problems.length === 0) return;
      throw new KeywayError(`${count(problems.length, "thing is", "things are")} wrong with what is installed`, {
        next: "`keyway check` looks closer and says what to do",
      });
    });

  function installationText(one: InstallationStatus): string {
    const { namespace, name, mode, scope, module, version, previous, routes } = one;
    const fields = [
      [`${namespace}/${name}`, `${mode}, for ${scope}`],
      ["module", module],
      ["version", time(version) + (previous === undefined ? "" : `, before that ${time(previous)}`)],
      ["routes", String(routes)],
      ...(one.table ? [["table", `live from ${one.table.cluster}, scope ${one.table.scope}`]] : []),
    ];
    const header = fields.map(([what = "", value]) => `${what.padEnd(8)}  ${value}\n`).join("");
    return `${header}\n${table(io, ["workload", "pod", "state", "routes", "table", "routed", "missing target", "targets"], one.pods.map(row))}`;
  }
};

function row({
  workload,
  pod,
  ready,
  silent,
  routes,
  tableVersion,
  routed,
  missingTarget,
  missingTargets,
}: PodStatus): string[] {
  const counted = [routes, tableVersion, routed, missingTarget].map((number) => String(number ?? "-"));
  return [
    workload,
    pod,
    ready ? "ready" : silent ? "does not answer" : "not ready",
    ...counted,
    targetsText(missingTargets),
  ];
}

function targetsText(missing: PodStatus["missingTargets"]): string {
  if (missing === undefined) return "-";
  return missing.length === 0 ? "ok" : `${missing.length} missing`;
}

function time(version: number): string {
  return version === 0 ? "unknown" : new Date(version * 1000).toISOString().replace(".000Z", "Z");
}
