import { describeScope } from "../manifests/installation.ts";
import type { SelectedPod } from "../proxies/selected-pods.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./context.ts";

export const workloadsSelected: Check<CheckContext> = {
  id: "workloads",
  description: "the selector matches workloads in the mesh",
  severity: "fatal",
  hint: "mend the selector (`kubectl get pods --show-labels`), or say --allow-empty for workloads to come",
  needs: ["rights"],
  async run(context) {
    const { proxies, pending, unmeshed } = await context.selection();
    const { scope, namespace } = context.installation;
    const seen = [
      ...byWorkload(proxies),
      ...byWorkload(pending).map((line) => `${line}, not running yet`),
      ...byWorkload(unmeshed).map((line) => `${line}, without a proxy that is asked: left alone`),
    ];
    if (proxies.length + pending.length > 0 || context.allowEmpty)
      return { holds: true, detail: seen.join("\n") || "none yet" };
    return { holds: false, detail: seen.join("\n") || `no pod in ${namespace} for ${describeScope(scope)}` };
  },
};

function byWorkload(pods: SelectedPod[]): string[] {
  const counts = new Map<string, number>();
  for (const { namespace, workload } of pods) {
    const name = `${workload} in ${namespace}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${name}: ${count} ${count === 1 ? "pod" : "pods"}`);
}
