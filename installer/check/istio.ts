import { atOnce } from "../../shared/at-once.ts";
import { isForbidden } from "../../shared/cluster/api-errors.ts";
import { KeywayError } from "../../shared/errors.ts";
import { OLDEST_ISTIO } from "../manifests/names.ts";
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
    const { running, silent } = await askIstiods(context);
    const old = running.filter(({ version }) => !isNewEnough(version));
    const all = running.map(({ service, version }) => `${service} ${version}`).join(", ");
    return { holds: old.length === 0, detail: [all, ...silent].join("\n") };
  },
};

interface Istiods {
  running: { service: string; version: string }[];
  /** Services behind which nobody answers, such as those of a revision that is scaled to nothing. */
  silent: string[];
}

async function askIstiods({ cluster, istioNamespace }: CheckContext): Promise<Istiods> {
  const services = await cluster.list<{ metadata: { name: string } }>("v1", "Service", {
    namespace: istioNamespace,
    labelSelector: "app=istiod",
  });
  if (services.length === 0) {
    throw new KeywayError(`there is no istiod in namespace ${istioNamespace}`, {
      next: "name Istio's namespace with --istio-namespace, or install Istio first",
    });
  }
  const asked = await atOnce(4, services, async ({ metadata: { name } }) => {
    try {
      const said = await cluster.readService(istioNamespace, name, 15014, "version");
      return { service: name, version: said.trim().split("-")[0] ?? "" };
    } catch (thrown) {
      if (thrown instanceof KeywayError) return { service: name, thrown };
      throw thrown;
    }
  });
  const running = asked.flatMap(({ service, version }) => (version === undefined ? [] : [{ service, version }]));
  const failed = asked.filter(({ thrown }) => thrown !== undefined);
  if (running.length === 0 && failed[0] !== undefined) throw failed[0].thrown;
  return { running, silent: failed.map(silenceText) };
}

function silenceText({ service, thrown }: { service: string; thrown?: KeywayError }): string {
  return isForbidden(thrown)
    ? `${service}: you may not ask it for its version, left out`
    : `${service}: nobody answers behind this service, left out`;
}

/** False also for a text that is no version, because a proxy that drops the guard must not be routed. */
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
    const { answers: versions, silent } = await context.askProxies(async (proxy) => {
      return { pod: proxy.pod.name, version: await proxy.istioVersion() };
    });
    const old = versions.filter(({ version }) => !isNewEnough(version));
    if (old.length > 0) return { holds: false, detail: old.map(({ pod, version }) => `${pod}: ${version}`).join("\n") };
    const distinct = [...new Set(versions.map(({ version }) => version))];
    const detail = [...(distinct.length > 0 ? [distinct.join(", ")] : []), ...silent].join("\n");
    return { holds: true, ...(detail !== "" && { detail }) };
  },
};
