import { KeywayError } from "../cli/errors.ts";
import { OLDEST_ISTIO } from "../manifests/names.ts";
import { inBatches } from "../proxies/wait.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./context.ts";

const oldest = OLDEST_ISTIO.join(".");

export const istiodNew: Check<CheckContext> = {
  id: "istiod-version",
  description: `istiod knows the guard of the route (${oldest} or newer)`,
  severity: "fatal",
  hint: `an older istiod drops the guard silently and lets clients choose clusters: upgrade Istio to ${oldest} or newer`,
  needs: ["api"],
  async run(context) {
    const running = await istiodVersions(context);
    const old = running.filter(({ version }) => !isNewEnough(version));
    const all = running.map(({ service, version }) => `${service} ${version}`).join(", ");
    return { holds: old.length === 0, detail: all };
  },
};

async function istiodVersions({
  cluster,
  istioNamespace,
}: CheckContext): Promise<{ service: string; version: string }[]> {
  const services = await cluster.list<{ metadata: { name: string } }>("v1", "Service", {
    namespace: istioNamespace,
    labelSelector: "app=istiod",
  });
  if (services.length === 0) {
    throw new KeywayError(`there is no istiod in namespace ${istioNamespace}`, {
      next: "name Istio's namespace with --istio-namespace, or install Istio first",
    });
  }
  return inBatches(services, 4, async ({ metadata: { name } }) => {
    const said = await cluster.readService(istioNamespace, name, 15014, "version");
    return { service: name, version: said.trim().split("-")[0] ?? "" };
  });
}

/** False also for what is no version: better refused than routed without the guard. */
export function isNewEnough(version: string): boolean {
  const [major = Number.NaN, minor = Number.NaN] = version.split(".").map(Number);
  const [leastMajor, leastMinor] = OLDEST_ISTIO;
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

export const proxiesNew: Check<CheckContext> = {
  id: "proxy-versions",
  description: `the selected proxies know the guard of the route (${oldest} or newer)`,
  severity: "fatal",
  hint: "restart the workloads, so that they get the present proxy (`kubectl rollout restart`)",
  needs: ["rights", "workloads"],
  async run(context) {
    const versions = await inBatches(await context.proxies(), 16, async (proxy) => {
      return { pod: proxy.pod.name, version: await proxy.istioVersion() };
    });
    const old = versions.filter(({ version }) => !isNewEnough(version));
    if (old.length > 0) return { holds: false, detail: old.map(({ pod, version }) => `${pod}: ${version}`).join("\n") };
    const distinct = [...new Set(versions.map(({ version }) => version))];
    return { holds: true, ...(distinct.length > 0 && { detail: distinct.join(", ") }) };
  },
};
