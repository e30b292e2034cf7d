import type { V1Service } from "@kubernetes/client-node";
import { targetNames } from "../manifests/installation.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./context.ts";
import { type Missing, outcomeOf, servicesOf, targetsOf } from "./target.ts";

/** A cluster of this type sends a request to the address that its connection was made to: the baseline's. */
const ORIGINAL_DST = "ORIGINAL_DST";

export const targetsAddressable: Check<CheckContext> = {
  id: "addresses",
  description: "the targets have addresses of their own",
  severity: "fatal",
  hint:
    "such a target sends a routed request to the baseline's own address, which fails: give it a Service of its own with a cluster IP, " +
    "with the same selector and port",
  needs: ["rights", "workloads"],
  async run(context) {
    const unfit = await unfitServices(context);
    const known = new Set(unfit.map(({ cluster }) => cluster));
    const names = targetNames(context.installation).filter((cluster) => !known.has(cluster));
    const { answers } =
      names.length === 0 ? { answers: [] } : await context.askProxies((proxy) => proxy.clusterTypes());
    const passing = names.filter((cluster) => answers.some((types) => types.get(cluster) === ORIGINAL_DST));
    const lines = passing.map((cluster) => ({ cluster, what: `${cluster} is of type ${ORIGINAL_DST} in the proxies` }));
    const outcome = outcomeOf([...unfit, ...lines], context.live);
    const external = unfit.some(({ what }) => what.includes("ExternalName"));
    return external ? { ...outcome, hint: EXTERNAL_HINT } : outcome;
  },
};

const EXTERNAL_HINT =
  "an ExternalName is another name in DNS, and no cluster of the mesh: route to the service that it stands for, or give the " +
  "host a ServiceEntry and route to {cluster: outbound|PORT||HOST}";

/** Targets whose Service itself shows that it has no address of its own. */
export function unfitServices(context: CheckContext): Promise<Missing[]> {
  return context.once("unfit services", async () => {
    const found: Missing[] = [];
    for (const target of targetsOf(context.installation)) {
      const services = await servicesOf(context, target.namespace);
      const why = unfitness(services?.find(({ metadata }) => metadata?.name === target.service));
      if (why !== undefined)
        found.push({ cluster: target.cluster, what: `${target.service}.${target.namespace} ${why}` });
    }
    return found;
  });
}

function unfitness(service: V1Service | undefined): string | undefined {
  const { type, externalName, clusterIP } = service?.spec ?? {};
  if (type === "ExternalName") return `is an ExternalName for ${externalName}`;
  return clusterIP === "None" ? "is headless (clusterIP: None)" : undefined;
}
