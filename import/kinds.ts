// Which system a document is of, told by what is in it.
import { ROUTE_API } from "../routes/model/route-resource.ts";
import { objectOf } from "./report.ts";
import { isSandboxText } from "./signadot-sandbox.ts";

/** The systems that are read, with their names for people. */
export const SYSTEMS = {
  signadot: "Signadot",
  istio: "Istio",
  okteto: "Okteto",
  amalgam8: "Amalgam8",
  bridge: "Bridge to Kubernetes",
  overrides: "mt-inside/overrides",
  keyway: "Keyway",
} as const;
export type System = keyof typeof SYSTEMS;

export type Kind =
  | "signadot rules"
  | "IstioRoute"
  | "RoutingConfig"
  | "signadot sandbox"
  | "signadot group"
  | "Divert"
  | "okteto manifest"
  | "VirtualService"
  | "HTTPRoute"
  | "DestinationRule"
  | "amalgam8 rules"
  | "Pod"
  | "Service"
  | "Route"
  | "other"
  | "nothing";

/** Kinds of Kubernetes, by the group and the name. */
const RESOURCES: Readonly<Record<string, [kind: Kind, ...systems: System[]]>> = {
  "signadot.com/IstioRoute": ["IstioRoute", "signadot"],
  "signadot.com/RoutingConfig": ["RoutingConfig", "signadot"],
  "okteto.com/Divert": ["Divert", "okteto"],
  "networking.istio.io/VirtualService": ["VirtualService", "istio", "overrides", "okteto"],
  "gateway.networking.k8s.io/HTTPRoute": ["HTTPRoute", "istio"],
  "networking.istio.io/DestinationRule": ["DestinationRule", "istio", "overrides", "okteto"],
  "amalgam8.io/RoutingRule": ["amalgam8 rules", "amalgam8"],
  "/Pod": ["Pod", "bridge"],
  "/Service": ["Service", "bridge"],
  [`${ROUTE_API.split("/")[0]}/Route`]: ["Route", "keyway"],
};

/** Undefined for what is of none of the systems, or not of the one that it is said to be of. */
export function kindOf(value: unknown, from: System | undefined): Kind | undefined {
  const { apiVersion, kind } = objectOf(value);
  if (typeof apiVersion === "string" && typeof kind === "string") {
    const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
    const name = `${group}/${kind}`;
    const [found, ...systems] = (Object.hasOwn(RESOURCES, name) && RESOURCES[name]) || (["other"] as const);
    return from === undefined || systems.some((one) => one === from) ? found : "other";
  }
  const found = plainKind(value, from);
  return from === undefined || found === undefined || found[1] === from ? found?.[0] : undefined;
}

function plainKind(value: unknown, from: System | undefined): [Kind, System] | undefined {
  const fields = objectOf(value);
  const first = Array.isArray(value) ? objectOf(value[0]) : fields;
  if (["routingKey", "routing_key"].some((field) => field in first) && "baseline" in first)
    return ["signadot rules", "signadot"];
  if ("routingRules" in fields || "routing_rules" in fields || ("op" in fields && "route" in fields))
    return ["signadot rules", "signadot"];
  if (from === "signadot" && Object.keys(fields).length === 0) return ["signadot rules", "signadot"];
  if ("destination" in first || Array.isArray(fields.rules)) return ["amalgam8 rules", "amalgam8"];
  if ("services" in fields && Object.values(objectOf(fields.services)).every(Array.isArray))
    return ["amalgam8 rules", "amalgam8"];
  if (from === "amalgam8" && Array.isArray(value)) return ["amalgam8 rules", "amalgam8"];
  if ("deploy" in fields && "divert" in objectOf(fields.deploy)) return ["okteto manifest", "okteto"];
  if (typeof fields.name !== "string" || !("spec" in fields)) return undefined;
  const spec = objectOf(fields.spec);
  if ("match" in spec) return ["signadot group", "signadot"];
  return isSandboxText(spec) ? ["signadot sandbox", "signadot"] : undefined;
}
