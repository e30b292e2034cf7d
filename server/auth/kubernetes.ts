// Kubernetes' own tokens and rights: the API server says whose a token is and what they may do.
import { createHash } from "node:crypto";
import { reason } from "../../installer/cli/errors.ts";
import type { Cluster } from "../../installer/cluster/cluster.ts";
import { GROUP } from "../../routes/model/route-resource.ts";
import { Unavailable } from "../store/store.ts";
import { type Authenticator, type Principal, ROLES, type Role } from "./authenticator.ts";

/** How long an answer of the API server counts, in milliseconds. Whoever is let in for longer is looked at again then. */
const COUNTS_MS = 30_000;
/** A token that nobody has shown for so long is forgotten, and what it was let into ends. */
const UNUSED_MS = 3_600_000;
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
    const asking = this.#asking.get(digest) ?? this.#admit(digest, token).finally(() => this.#asking.delete(digest));
    this.#asking.set(digest, asking);
    return asking;
  }

  async #admit(digest: string, token: string): Promise<Entry | undefined> {
    const found = await this.#review(token);
    if (found === undefined) return undefined;
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

  async #lookAgain(digest: string, token: string): Promise<void> {
    const entry = this.#entries.get(digest);
    if (entry === undefined) return;
    if (performance.now() - entry.usedAt > UNUSED_MS) return this.#forget(digest);
    // While the API server is away, who was let in stays.
    const found = await this.#review(token).catch(() => ({ roles: entry.roles.split(",") }));
    if (found?.roles.join() !== entry.roles) this.#forget(digest);
  }

  #forget(digest: string): void {
    const entry = this.#entries.get(digest);
    this.#entries.delete(digest);
    clearInterval(entry?.timer);
    entry?.revoked.abort();
  }

  async #review(token: string): Promise<{ name: string; roles: Role[] } | undefined> {
    try {
      const status = await this.#cluster.review<{ authenticated?: boolean; user?: User }>(
        "authentication.k8s.io/v1",
        "TokenReview",
        { token },
      );
      if (status?.authenticated !== true) return undefined;
      const { username = "", uid, groups, extra } = status.user ?? {};
      const mays = await Promise.all(ROLES.map((role) => this.#may({ user: username, uid, groups, extra }, role)));
      return { name: username, roles: ROLES.filter((_, at) => mays[at]) };
    } catch (thrown) {
      throw new Unavailable(`the API server can't be asked whose a token is: ${reason(thrown)}`, {
        where: this.#cluster.server,
        next: "see whether it can be reached and the rights of `keyway render rbac --server` are there",
        cause: thrown,
      });
    }
  }

  async #may(user: object, role: Role): Promise<boolean> {
    const verb = role === "write" ? "create" : "get";
    const wanted =
      role === "proxy"
        ? { nonResourceAttributes: { path: "/v1/table", verb } }
        : { resourceAttributes: { group: GROUP, resource: "routes", namespace: this.#namespace, verb } };
    const spec = { ...user, ...wanted };
    const api = "authorization.k8s.io/v1";
    const status = await this.#cluster.review<{ allowed?: boolean }>(api, "SubjectAccessReview", spec);
    return status?.allowed === true;
  }
}

function principal(name: string, roles: readonly Role[], revoked: AbortSignal): Principal {
  return { name, may: (role) => roles.includes(role) || (role === "read" && roles.includes("write")), revoked };
}
