import { parseDate } from "../../routes/model/date.ts";
import type { SandboxResource } from "../../routes/model/sandbox.ts";
import type { Io } from "../../shared/io.ts";
import { table } from "../cli/output.ts";
import { conditionsOf } from "../sandbox/wait.ts";
import { formatExpiry } from "./routes.ts";

const NOTHING = "-";

export interface Listing {
  /** What became of each, in a first column. */
  outcomes?: readonly string[];
  /** Whether they are of several namespaces. */
  withNamespace?: boolean;
}

/** One line for each Sandbox. */
export function sandboxTable(
  io: Io,
  sandboxes: readonly SandboxResource[],
  { outcomes, withNamespace = false }: Listing = {},
): string {
  const header = [
    ...(outcomes ? ["outcome"] : []),
    ...(withNamespace ? ["namespace"] : []),
    "name",
    "key",
    "in force",
    "routes",
    "forks",
    "expires",
    "waits for",
  ];
  const rows = sandboxes.map((sandbox, at) => [
    ...(outcomes ? [outcomes[at] ?? ""] : []),
    ...(withNamespace ? [sandbox.metadata.namespace] : []),
    ...cellsOf(sandbox),
  ]);
  return table(io, header, rows);
}

function cellsOf(sandbox: SandboxResource, now = Date.now() / 1000): string[] {
  const { metadata, spec, status = {} } = sandbox;
  const conditions = conditionsOf(sandbox);
  const open = conditions.find(({ status }) => status !== "True");
  const inForce = conditions.find(({ type }) => type === "InForce");
  const ready = status.forks?.filter((fork) => fork.ready).length ?? 0;
  const expires = status.expires ?? spec.expires ?? "";
  return [
    metadata.name,
    status.key ?? spec.key ?? metadata.name,
    inForce ? (inForce.status === "True" ? "yes" : "no") : NOTHING,
    String(status.routes?.length ?? NOTHING),
    spec.forks?.length ? `${ready} of ${spec.forks.length}` : NOTHING,
    parseDate(expires) === undefined ? (spec.ttl ?? "never") : formatExpiry(expires, now),
    open?.reason ?? NOTHING,
  ];
}

/** A Sandbox as programs get it. */
export function sandboxData({ metadata, spec, status = {} }: SandboxResource) {
  const { name, namespace, labels, creationTimestamp } = metadata;
  const { key = spec.key ?? name, expires, routes = [], forks = [], proxies, conditions = [] } = status;
  return {
    name,
    namespace,
    key,
    ...(labels && { labels }),
    ...(creationTimestamp && { created: creationTimestamp }),
    ...(expires !== undefined && { expires }),
    spec,
    routes,
    forks,
    ...(proxies && { proxies }),
    conditions,
  };
}
