// The route server of an installation with a live table, as its proxies find it.
import { title } from "../../shared/cluster/object.ts";
import { speaksHttp } from "../../shared/services/protocol.ts";
import { tableOf } from "../manifests/installation.ts";
import { callersOf, labelsBehind, refusals } from "./callers.ts";
import type { Check, CheckOutcome } from "./check.ts";
import type { CheckContext } from "./context.ts";
import { notLookedAt } from "./places.ts";
import { type AuthorizationPolicy, policiesFor } from "./policies.ts";
import { findPort, servicesOf, type Target, targetOf } from "./target.ts";

const NO_SERVER: CheckOutcome = { holds: true };

/** The service of the route server; undefined without a live table, and for a server outside of the mesh. */
function serverOf({ installation }: CheckContext): Target | undefined {
  return targetOf(tableOf(installation)?.cluster ?? "");
}

export const serverExists: Check<CheckContext> = {
  id: "server",
  description: "the route server's service exists, and its port says that it speaks HTTP",
  severity: "fatal",
  hint: "start it first, or mend --server",
  needs: ["rights"],
  async run(context): Promise<CheckOutcome> {
    const server = serverOf(context);
    const services = server && (await servicesOf(context, server.namespace));
    if (server === undefined) return NO_SERVER;
    if (services === undefined) return notLookedAt(`list services in ${server.namespace}`);
    const name = `${server.service}.${server.namespace}:${server.port}`;
    const port = findPort(services, server);
    if (port === undefined) return { holds: false, detail: `${name} does not exist` };
    if (speaksHttp(port)) return { holds: true };
    return {
      holds: false,
      severity: "warning",
      detail: `${name} ${port.appProtocol ? `says appProtocol: ${port.appProtocol}` : port.name ? `is named ${port.name}` : "has no name"}`,
      hint: "name the port http, or set its appProtocol: else the server's own proxy takes it for plain TCP",
    };
  },
};

export const serverSeen: Check<CheckContext> = {
  id: "server-visible",
  description: "the selected proxies know the route server",
  severity: "fatal",
  hint: "one made a moment ago is known within seconds; else a Sidecar resource or an exportTo hides it: add its namespace to the Sidecar's egress hosts",
  needs: ["rights", "workloads", "server"],
  async run(context): Promise<CheckOutcome> {
    const table = tableOf(context.installation);
    if (table === undefined) return NO_SERVER;
    const { answers, silent } = await context.askProxies(async (proxy) => {
      return (await proxy.clusters()).has(table.cluster) ? [] : [`${proxy.pod.name} does not know ${table.cluster}`];
    });
    const blind = answers.flat();
    if (blind.length > 0) return { holds: false, detail: blind.join("\n") };
    return { holds: true, ...(silent.length > 0 && { detail: silent.join("\n") }) };
  },
};

export const serverAdmits: Check<CheckContext> = {
  id: "server-admits",
  description: "the route server's policies admit the selected proxies",
  severity: "warning",
  hint: "admit the service accounts of the selected workloads there, for GET /v1/table",
  needs: ["rights", "workloads"],
  async run(context): Promise<CheckOutcome> {
    const server = serverOf(context);
    if (server === undefined) return NO_SERVER;
    const { namespace } = server;
    const pods = await labelsBehind(context, server);
    const policies = await policiesFor<AuthorizationPolicy>(context, "AuthorizationPolicy", namespace, pods);
    if (policies === undefined)
      return notLookedAt(`list AuthorizationPolicies in ${namespace} and ${context.istioNamespace}`);
    const lines = (await callersOf(context)).flatMap((caller) =>
      refusals(policies, caller).map(
        ({ policy, why }) => `${title(policy)}: ${why}, so ${caller.namespace}/${caller.serviceAccount} gets no table`,
      ),
    );
    return lines.length === 0 ? { holds: true } : { holds: false, detail: lines.join("\n") };
  },
};
