import { atOnce } from "../../shared/at-once.ts";
import { tableOf } from "../manifests/installation.ts";
import { type Right, rights } from "../manifests/rights.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./context.ts";
import { targetOf, targetsOf } from "./target.ts";

export const apiAnswers: Check<CheckContext> = {
  id: "api",
  description: "the API server answers",
  severity: "fatal",
  hint: "see that `kubectl get namespaces` works with the same kubeconfig and context",
  async run({ cluster }) {
    return { holds: true, detail: `${cluster.server}, Kubernetes ${await cluster.serverVersion()}` };
  },
};

export const rightsHeld: Check<CheckContext> = {
  id: "rights",
  description: "you may do all that an installation takes",
  severity: "fatal",
  hint: "have an administrator apply what `keyway render rbac` prints",
  needs: ["api"],
  async run({ cluster, installation, istioNamespace }) {
    const { namespace } = installation;
    const server = targetOf(tableOf(installation)?.cluster ?? "");
    const routeNamespaces = [...targetsOf(installation), ...(server ? [server] : [])].map((target) => target.namespace);
    const asked = rights({ namespace, istioNamespace, routeNamespaces });
    const held = await atOnce(8, asked, (right) => cluster.may(right));
    const missing = asked.filter((_, index) => !held[index]);
    // The routes are compiled already, so a namespace that can't be listed now stops nothing.
    const [lighter, needed] = [missing.filter(isLight), missing.filter((right) => !isLight(right))];
    const detail = [
      ...needed.map((right) => `may not ${rightText(right)} (to ${right.why})`),
      ...lighter.map((right) => `may not ${rightText(right)}: not looked at is what it is for, to ${right.why}`),
    ].join("\n");
    if (missing.length === 0) return { holds: true };
    if (needed.length === 0) return { holds: true, detail };
    const others = [...new Set(routeNamespaces)].filter((one) => one !== namespace);
    const more = others.map((one) => ` --route-namespace ${one}`).join("");
    return {
      holds: false,
      detail,
      hint: `have an administrator run: keyway render rbac -n ${namespace}${more} --user NAME | kubectl apply -f -`,
    };

    function isLight({ optional, namespace: place }: Right): boolean {
      return optional === true || (place !== namespace && place !== istioNamespace);
    }
  },
};

function rightText({ verb, group, resource, namespace, name }: Right): string {
  return `${verb} ${resource}${group && `.${group}`}${name === undefined ? "" : ` ${name}`} in ${namespace}`;
}

const kinds = [
  { group: "extensions.istio.io", version: "v1alpha1", resource: "wasmplugins" },
  { group: "networking.istio.io", version: "v1alpha3", resource: "envoyfilters" },
];

export const istioKinds: Check<CheckContext> = {
  id: "istio-kinds",
  description: "the cluster knows WasmPlugin and EnvoyFilter",
  severity: "fatal",
  hint: "install Istio first (`istioctl install`), or choose the cluster that has it with --context",
  needs: ["api"],
  async run({ cluster }) {
    const missing: string[] = [];
    for (const { group, version, resource } of kinds) {
      const offered = await cluster.resources(group, version);
      if (!offered.some(({ name }) => name === resource)) missing.push(`${resource}.${group}/${version}`);
    }
    return missing.length === 0 ? { holds: true } : { holds: false, detail: `missing: ${missing.join(", ")}` };
  },
};
