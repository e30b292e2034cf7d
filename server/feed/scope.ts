// What a proxy's table is of, as its configuration names it.
import { parsePort } from "../../routes/model/service.ts";

/** The workload's ports of one service: the service's number, and the one on which the pods listen. */
export interface InboundPort {
  namespace: string;
  service: string;
  port: number;
  containerPort: number;
}

/** `plain`: clusters are called as services are; all of them, or those of one service alone. `outbound` and `inbound`: as Istio calls
 * them in the proxies of callers in a namespace, and in the called workload's own. `both`: in proxies that are both; without ports the
 * callers alone choose. */
export type Scope =
  | { kind: "plain"; namespace?: string; service?: string }
  | { kind: "outbound"; namespace: string }
  | { kind: "inbound"; ports: InboundPort[] }
  | { kind: "both"; namespace: string; ports: InboundPort[] };

type WithoutPorts = { kind: "inbound" } | { kind: "both"; namespace: string };

const MAX_SCOPE = 4096; // bytes
const LABEL = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
const SERVICE = new RegExp(`^(${LABEL})/(${LABEL})$`);
const OUTBOUND = new RegExp(`^outbound:(${LABEL})$`);
const BOTH = new RegExp(`^both:(${LABEL})(?:,(.*))?$`);
const INBOUND = new RegExp(`^(${LABEL})/(${LABEL}):(\\d{1,5})=(\\d{1,5})$`);

const EXPECTED =
  'expected nothing, "*", NAMESPACE/SERVICE, outbound:NAMESPACE, inbound:NAMESPACE/SERVICE:PORT=CONTAINERPORT[,...], ' +
  "or both:NAMESPACE[,NAMESPACE/SERVICE:PORT=CONTAINERPORT...]";

/** An Error's message says what is wrong with the text. */
export function parseScope(text: string): Scope | Error {
  if (text.length > MAX_SCOPE) return new Error(`the scope is longer than ${MAX_SCOPE} bytes`);
  if (text === "" || text === "*") return { kind: "plain" };
  const [, namespace, service] = SERVICE.exec(text) ?? [];
  if (namespace !== undefined && service !== undefined) return { kind: "plain", namespace, service };
  const outbound = OUTBOUND.exec(text)?.[1];
  if (outbound !== undefined) return { kind: "outbound", namespace: outbound };
  if (text.startsWith("inbound:")) return withPorts({ kind: "inbound" }, text.slice("inbound:".length));
  const [, home, own] = BOTH.exec(text) ?? [];
  if (home !== undefined) return withPorts({ kind: "both", namespace: home }, own);
  return new Error(`scope ${JSON.stringify(text)}: ${EXPECTED}`);
}

function withPorts(start: WithoutPorts, text: string | undefined): Scope | Error {
  const ports: InboundPort[] = [];
  for (const part of text?.split(",") ?? []) {
    const [, namespace = "", service = "", port, containerPort] = INBOUND.exec(part) ?? [];
    const numbers = [parsePort(port), parsePort(containerPort)];
    const [outer, inner] = numbers;
    if (typeof outer !== "number" || typeof inner !== "number") {
      return new Error(`scope ${start.kind}, ${JSON.stringify(part)}: expected NAMESPACE/SERVICE:PORT=CONTAINERPORT`);
    }
    ports.push({ namespace, service, port: outer, containerPort: inner });
  }
  return { ...start, ports };
}

/** The text of a scope, the same for all that mean the same. */
export function scopeText(scope: Scope): string {
  if (scope.kind === "outbound") return `outbound:${scope.namespace}`;
  if (scope.kind === "plain") return scope.service === undefined ? "" : `${scope.namespace}/${scope.service}`;
  const parts = scope.ports.map(
    ({ namespace, service, port, containerPort }) => `${namespace}/${service}:${port}=${containerPort}`,
  );
  const sorted = [...new Set(parts)].sort();
  return scope.kind === "both" ? [`both:${scope.namespace}`, ...sorted].join(",") : `inbound:${sorted.join(",")}`;
}
