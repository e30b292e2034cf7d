import { KeywayError, UsageError } from "../../shared/errors.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { connectCluster, withDeadline } from "../cli/connect.ts";
import { type ClusterFlags, clusterFlags, parseSeconds, selectorFlag, timeoutFlag } from "../cli/flags.ts";
import { count, emit, type Format, outputOption } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import type { Labels } from "../manifests/installation.ts";

interface Flags extends ClusterFlags {
  allNamespaces?: boolean;
  selector?: Labels;
  for?: number;
  failOnGaps?: boolean;
  timeout: number;
  output: Format;
}

export const gaps: Register = (program, io) => {
  const command = defineCommand(program, {
    usage: "gaps",
    description:
      "Asks the proxies of every workload that has the filter on its way in and on its way out, with `trace` among its keys, what became of the " +
      "keys that came in: whether the service hands them on, whether it drops them and hands on a trace id by which the proxy gives them back, " +
      "or whether they are lost. Names each service that loses keys, why, and the line that mends it in common stacks. The proxies count from " +
      "when they began; with --for only what happens meanwhile counts.",
    examples: [
      ["the services of a namespace", "keyway gaps -n demo"],
      ["one of them, while a test runs", "keyway gaps -n demo -l app=cart --for 30"],
      ["a pipeline that fails when a key is lost", "keyway gaps -n demo --for 60 --fail-on-gaps"],
      ["what each service hands on", `keyway gaps -A -o json | jq '.[] | {workload, verdict, by: .flow.recoveredBy}'`],
    ],
  });
  selectorFlag(clusterFlags(command));
  timeoutFlag(command, 120)
    .option("-A, --all-namespaces", "look in all namespaces")
    .option("--for <seconds>", "count only what happens within so many seconds from now", parseSeconds)
    .option("--fail-on-gaps", "exit code 1 when a service loses keys")
    .addOption(outputOption())
    .action(async (flags: Flags) => {
      if ((flags.for ?? 0) >= flags.timeout)
        throw new UsageError(`--for ${flags.for} takes longer than the whole command may, ${flags.timeout} s`, {
          next: `allow more with --timeout ${Math.ceil(flags.for ?? 0) + 60}`,
        });
      const limited = withDeadline(io, flags.timeout);
      const { readGaps } = await import("../gaps/workloads.ts");
      const { findingsOf, gapsText, hasGap, nameOf } = await import("../gaps/print.ts");
      const { stacksFor } = await import("../gaps/stacks.ts");
      const cluster = await connectCluster(flags, limited);
      const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? cluster.namespace);
      const steps = progress(io);
      const { workloads, traced, untraced } = await readGaps({
        ...{ cluster, namespace, istioNamespace: flags.istioNamespace, labels: flags.selector ?? {} },
        ...{ seconds: flags.for, signal: limited.signal },
        counting: () => steps.update(`counting for ${flags.for} s`),
      });
      if (flags.for !== undefined) steps.done(`counted for ${flags.for} s`);
      const told = workloads.map((one) => ({
        ...one,
        findings: findingsOf(one),
        ...(hasGap(one) && { remedies: stacksFor(one.header) }),
      }));
      emit(io, flags.output, told, () => (workloads.length === 0 ? "" : gapsText(io, workloads)));
      const where = namespace ?? "any namespace";
      for (const one of untraced)
        steps.warn(
          `installation ${one} remembers no keys: add \`trace\` to the keys of its route file, and \`keyway upgrade -f\` it`,
        );
      if (traced.length + untraced.length === 0)
        steps.warn(
          `nothing is installed in ${where} for inbound or outbound requests${flags.allNamespaces ? "" : ": -A looks in all namespaces"}`,
        );
      else if (traced.length > 0 && workloads.length === 0)
        steps.warn(
          `no workload of ${where} ${flags.selector ? "has these labels and " : ""}has the filter with \`trace\``,
        );
      for (const one of workloads)
        for (const [pod, why] of Object.entries(one.silent))
          steps.warn(`${nameOf(one)}: pod ${pod} tells nothing: ${why}`);
      const gaps = workloads.filter(hasGap);
      if (!flags.failOnGaps || gaps.length === 0) return;
      throw new KeywayError(
        `${count(gaps.length, "service loses", "services lose")} keys: ${gaps.map(nameOf).join(", ")}`,
        { next: "mend each by one of the lines above, then run it again" },
      );
    });
};
