// Kubernetes' own tokens and rights: the API server says whose a token is and what they may do.
import { createHash } from "node:crypto";
import { getEventListeners } from "node:events";
import { GROUP } from "../../routes/model/route-resource.ts";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { reason } from "../../shared/errors.ts";
import { withLimit } from "../../shared/net/limit.ts";
import { Unavailable } from "../store/store.ts";
import { Turns } from "../turns.ts";
import { AUDIENCE, type Authenticator, type Principal, ROLES, type Role } from "./authenticator.ts";

/** How long an answer of the API server counts, in milliseconds. Whoever is let in for longer is looked at again then. */
const COUNTS_MS = 30_000;
/** How often an answer is asked for again of a token that nobody shows any more, before it is forgotten. */
const UNUSED = 10;
/** How long a token counts as one that nobody knows, in milliseconds. */
const UNKNOWN_MS = 10_000;
/** Milliseconds that the API server may take to say whose a token is and what they may do. */
const ANSWER_MS = 5000;
/** Tokens that are asked about at one time. */
const AT_ONCE = 16;
/** Tokens that are known at one time, at most: beyond that those shown longest ago are forgotten. */
const MOST = 10_000;

interface User {
  username?: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

interface Entry {
  principal: Principal;
  roles: string;
  revoked: AbortController;
  usedAt: number;
  timer: NodeJS.Timeout;
}

/** `read` is to get Routes in the namespace, `write` to create them, `proxy` to get the path /v1/table. */
export class KubernetesTokens implements Authenticator {
  readonly #cluster: Cluster;
  readonly #namespace: string;
  readonly #anonymous: Principal;
  readonly #countsMs: number;
  readonly #entries = new Map<string, Entry>();
  readonly #asking = new Map<string, Promise<Entry | undefined>>();
  /** Tokens that nobody knows: when that was said last. */
  readonly #unknown = new Map<string, number>();
  readonly #turns = new Turns(AT_ONCE);

  /** `anonymous`: what requests without a token may do. */
  constructor(cluster: Cluster, namespace: string, anonymous: readonly Role[], countsMs = COUNTS_MS) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#countsMs = countsMs;
    this.#anonymous = principal("anonymous", anonymous, new AbortController().signal);
  }

  async authenticate(token: string | undefined): Promise<Principal | undefined> {
    if (token === undefined) return this.#anonymous;
    const digest = createHash("sha256").update(token).digest("hex");
    const saidAt = this.#unknown.get(digest);
    if (saidAt !== undefined && performance.now() - saidAt < UNKNOWN_MS) return undefined;
    const entry = this.#entries.get(digest) ?? (await this.#ask(digest, token));
    if (entry === undefined) return undefined;
    entry.usedAt = performance.now();
    return entry.principal;
  }

  close(): void {
    for (const digest of this.#entries.keys()) this.#forget(digest);
  }

  /** Requests with one token that come together ask once. */
  #ask(digest: string, token: string): Promise<Entry | undefined> {
    const asking =
      this.#asking.get(digest) ??
      this.#turns.run(() => this.#admit(digest, token)).finally(() => this.#asking.delete(digest));
    this.#asking.set(digest, asking);
    return asking;
  }

  async #admit(digest: string, token: string): Promise<Entry | undefined> {
    const found = await this.#review(token);
    if (found === undefined) {
      this.#remember(digest);
      return undefined;
    }
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= MOST && oldest !== undefined) this.#forget(oldest);
    const revoked = new AbortController();
    const entry: Entry = {
      principal: principal(found.name, found.roles, revoked.signal),
      roles: found.roles.join(),
      revoked,
      usedAt: performance.now(),
      timer: setInterval(() => void this.#lookAgain(digest, token), this.#countsMs).unref(),
    };
    this.#entries.set(digest, entry);
    return entry;
  }

  #remember(unknown: string): void {
    const [first] = this.#unknown.keys();
    if (this.#unknown.size >= MOST && first !== undefined) this.#unknown.delete(first);
    this.#unknown.delete(unknown);
    this.#unknown.set(unknown, performance.now());
  }

  /** Forgets a token that nobody has shown for a while, unless what it was let into still goes on. */
  async #lookAgain(digest: string, token: string): Promise<void> {
    const entry = this.#entries.get(digest);
    if (entry === undefined) return;
    const goesOn = getEventListeners(entry.revoked.signal, "abort").length > 0;
    if (!goesOn && performance.now() - entry.usedAt > UNUSED * this.#countsMs) return this.#forget(digest);
    // While the API server is away, who was let in stays.
    const found = await this.#turns.run(() => this.#review(token)).catch(() => ({ roles: entry.roles.split(",") }));
    if (found?.roles.join() !== entry.roles) this.#forget(digest);
  }

  #forget(digest: string): void {
    const entry = this.#entries.get(digest);
    this.#entries.delete(digest);
    clearInterval(entry?.timer);
    entry?.revoked.abort();
  }

  async #review(token: string): Promise<{ name: string; roles: Role[] } | undefined> {
    const { signal } = this.#cluster.options;
    const limit = { ms: ANSWER_MS, signal, who: "the API server", where: this.#cluster.server };
    try {
      return await withLimit(limit, (ended) => this.#askCluster(this.#cluster.withSignal(ended), token));
    } catch (thrown) {
      throw new Unavailable(`the API server can't be asked whose a token is: ${reason(thrown)}`, {
        where: this.#cluster.server,
        next: "see whether it can be reached and the rights of `keyway render rbac --server` are there",
        cause: thrown,
      });
    }
  }

  async #askCluster(cluster: Cluster, token: string): Promise<{ name: string; roles: Role[] } | undefined> {
    const status =
      (await authenticated(cluster, { token })) ?? (await authenticated(cluster, { token, audiences: [AUDIENCE] }));
    if (status === undefined) return undefined;
    const { username = "", uid, groups, extra } = status.user ?? {};
    const user = { user: username, uid, groups, extra };
    const mays = await Promise.all(ROLES.map((role) => this.#may(cluster, user, role)));
    return { name: username, roles: ROLES.filter((_, at) => mays[at]) };
  }

  async #may(cluster: Cluster, user: object, role: Role): Promise<boolean> {
    const verb = role === "write" ? "create" : "get";
    const wanted =
      role === "proxy"
        ? { nonResourceAttributes: { path: "/v1/table", verb } }
        : { resourceAttributes: { group: GROUP, resource: "routes", namespace: this.#namespace, verb } };
    const spec = { ...user, ...wanted };
    const api = "authorization.k8s.io/v1";
    const status = await cluster.review<{ allowed?: boolean }>(api, "SubjectAccessReview", spec);
    return status?.allowed === true;
  }
}

interface Review {
  authenticated?: boolean;
  audiences?: string[];
  user?: User;
}

/** Undefined for a token that is not known, or is for somebody else. */
async function authenticated(
  cluster: Cluster,
  spec: { token: string; audiences?: string[] },
): Promise<Review | undefined> {
  const status = await cluster.review<Review>("authentication.k8s.io/v1", "TokenReview", spec);
  const { audiences = [] } = spec;
  const isFor = audiences.every((one) => status?.audiences?.includes(one));
  return status?.authenticated === true && isFor ? status : undefined;
}

function principal(name: string, roles: readonly Role[], revoked: AbortSignal): Principal {
  const [, namespace] = /^system:serviceaccount:([^:]+):/.exec(name) ?? [];
  const may = (role: Role) => roles.includes(role) || (role === "read" && roles.includes("write"));
  return { name, may, revoked, ...(namespace !== undefined && { namespace }) };
}
