// Whether a rule of an AuthorizationPolicy is about one caller, by what it says of callers alone.

/** A workload as mutual TLS names it. */
export interface Caller {
  namespace: string;
  serviceAccount: string;
}

interface Source {
  principals?: string[];
  notPrincipals?: string[];
  namespaces?: string[];
  notNamespaces?: string[];
  serviceAccounts?: string[];
  notServiceAccounts?: string[];
  requestPrincipals?: string[];
  notRequestPrincipals?: string[];
}

export interface PolicyRule {
  from?: { source?: Source }[];
  when?: { key: string; values?: string[]; notValues?: string[] }[];
}

/** `named`: the rule goes by the caller and takes this one in; `others`: it goes by the caller and does not; `any`: it does not ask. */
export type Verdict = "named" | "others" | "any";

/** `policyNamespace` is that of service accounts which a rule names without one. */
export function callerVerdict({ from, when }: PolicyRule, caller: Caller, policyNamespace: string): Verdict {
  const conditions = (when ?? []).flatMap(({ key, values, notValues }) => {
    const field = CONDITIONS[key];
    return field === undefined ? [] : [fits(field, values, notValues, caller, policyNamespace)];
  });
  const sources = (from ?? []).map(({ source = {} }) => sourceFits(source, caller, policyNamespace));
  const asks = conditions.length > 0 || (sources.length > 0 && !sources.includes(undefined));
  if (!asks) return "any";
  const bySource = sources.length === 0 || sources.some((fit) => fit !== false);
  return bySource && conditions.every(Boolean) ? "named" : "others";
}

/** Whether a rule asks for a token's principal or claims. */
export function dependsOnToken({ from, when }: PolicyRule): boolean {
  const byPrincipal = from?.some(({ source }) => source?.requestPrincipals || source?.notRequestPrincipals);
  return byPrincipal === true || when?.some(({ key }) => key.startsWith("request.auth.")) === true;
}

type Field = "principal" | "namespace" | "serviceAccount";

const CONDITIONS: Record<string, Field | undefined> = {
  "source.principal": "principal",
  "source.namespace": "namespace",
  "source.serviceAccount": "serviceAccount",
};

/** Undefined for a source that says nothing of workloads. */
function sourceFits(source: Source, caller: Caller, policyNamespace: string): boolean | undefined {
  const asked = (
    [
      ["principal", source.principals, source.notPrincipals],
      ["namespace", source.namespaces, source.notNamespaces],
      ["serviceAccount", source.serviceAccounts, source.notServiceAccounts],
    ] as const
  ).filter(([, values, notValues]) => values !== undefined || notValues !== undefined);
  if (asked.length === 0) return undefined;
  return asked.every(([field, values, notValues]) => fits(field, values, notValues, caller, policyNamespace));
}

function fits(
  field: Field,
  values: string[] | undefined,
  notValues: string[] | undefined,
  caller: Caller,
  policyNamespace: string,
): boolean {
  const holds = (pattern: string) => matchesPattern(field, pattern, caller, policyNamespace);
  return (values === undefined || values.some(holds)) && !(notValues ?? []).some(holds);
}

/** Istio's patterns: exact, `*suffix`, `prefix*`, or `*`. The trust domain of a principal is not known here, and not compared. */
function matchesPattern(field: Field, pattern: string, caller: Caller, policyNamespace: string): boolean {
  const { namespace, serviceAccount } = caller;
  if (field === "serviceAccount") {
    const whole = pattern.includes("/") ? pattern : `${policyNamespace}/${pattern}`;
    return whole === `${namespace}/${serviceAccount}`;
  }
  const text = field === "namespace" ? namespace : `cluster.local/ns/${namespace}/sa/${serviceAccount}`;
  if (pattern === "*") return true;
  if (pattern.startsWith("*")) return text.endsWith(pattern.slice(1));
  if (pattern.endsWith("*")) {
    const prefix = pattern.slice(0, -1);
    return (
      text.startsWith(prefix) ||
      (prefix.includes("/") && withoutDomain(field, text).startsWith(withoutDomain(field, prefix)))
    );
  }
  return withoutDomain(field, text) === withoutDomain(field, pattern);
}

function withoutDomain(field: Field, text: string): string {
  return field === "principal" ? text.replace(/^[^/]*\//, "") : text;
}
