import { KeywayError } from "../errors.ts";
import { ApiError, isNotFound } from "./api-errors.ts";
import { type ClusterChoice, type Env, findCluster } from "./kubeconfig.ts";
import { type KubeObject, type Ref, title } from "./object.ts";
import { type ApiRequest, Transport } from "./transport.ts";
import { WATCH_SECONDS, watchLines } from "./watch-lines.ts";

export interface ApplyOptions {
  dryRun?: boolean;
  /** Takes back the fields that others have changed. */
  force?: boolean;
  /** What is written instead of the object itself. */
  subresource?: "status";
}

export interface ClusterOptions {
  /** Ends everything that waits. */
  signal: AbortSignal;
  /** The name under which fields are written. */
  fieldManager: string;
  /** What to do when rights are missing. */
  rightsHint: string;
}

/** One entry of what an API group offers. */
export interface ApiResource {
  /** The plural, as in paths. */
  name: string;
  kind: string;
  namespaced: boolean;
}

/** A right as the API server is asked for it; a subresource stands behind a slash: `pods/portforward`. */
export interface AccessRight {
  verb: string;
  group: string;
  resource: string;
  namespace: string;
  name?: string;
}

/** A bookmark has a version and nothing else. */
export interface WatchEvent<T extends KubeObject> {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  object: T;
}

interface ListAnswer<T> {
  items: T[] | null;
  metadata?: { continue?: string; resourceVersion?: string };
}

/** Of all namespaces where none is named. */
export interface ListScope {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
}

/** Objects on one page of a list. */
const PAGE = 500;

/** A Kubernetes API server, asked as one user. Every failure is a KeywayError that names the verb and the thing. */
export class Cluster {
  readonly server: string;
  /** The namespace of the chosen context. */
  readonly namespace: string;
  readonly transport: Transport;
  readonly options: ClusterOptions;
  #discovered = new Map<string, Promise<ApiResource[]>>();

  constructor(transport: Transport, namespace: string, options: ClusterOptions) {
    this.transport = transport;
    this.namespace = namespace;
    this.options = options;
    this.server = transport.server.href.replace(/\/$/, "");
  }

  static async connect(choice: ClusterChoice, env: Env, options: ClusterOptions): Promise<Cluster> {
    const access = await findCluster(choice, env);
    return new Cluster(new Transport(access, env), access.namespace, options);
  }

  /** The same cluster, asked on another's time: to clean up after the command's own time is over. */
  withSignal(signal: AbortSignal): Cluster {
    const same = new Cluster(this.transport, this.namespace, { ...this.options, signal });
    same.#discovered = this.#discovered;
    return same;
  }

  /** Undefined when there is no such object, or no such kind. */
  async get<T extends KubeObject>(ref: Ref): Promise<T | undefined> {
    const doing = `get ${title(ref)}`;
    try {
      return await this.#ask<T>({ method: "GET", path: await this.#pathOf(ref, doing), doing, repeatable: true });
    } catch (thrown) {
      if (isNotFound(thrown)) return undefined;
      throw thrown;
    }
  }

  /** All objects of a kind, in one namespace or in all, read page by page. */
  async list<T extends KubeObject>(apiVersion: string, kind: string, scope: ListScope = {}): Promise<T[]> {
    return (await this.listAt<T>(apiVersion, kind, scope)).items;
  }

  /** The same, with the version that a watch goes on from. */
  async listAt<T extends KubeObject>(
    apiVersion: string,
    kind: string,
    scope: ListScope = {},
  ): Promise<{ items: T[]; resourceVersion: string }> {
    const found: T[] = [];
    let version = "";
    for await (const { items, resourceVersion } of this.pages<T>(apiVersion, kind, scope)) {
      found.push(...items);
      version = resourceVersion;
    }
    return { items: found, resourceVersion: version };
  }

  /** The same page by page, for whoever keeps less of the objects than there is; each page has the version. */
  async *pages<T extends KubeObject>(
    apiVersion: string,
    kind: string,
    { namespace, labelSelector }: ListScope = {},
  ): AsyncGenerator<{ items: T[]; resourceVersion: string }> {
    const doing = `list ${kind}s in ${namespace ?? "all namespaces"}`;
    const path = await this.#collection(apiVersion, kind, namespace, doing);
    let page: string | undefined;
    do {
      const query = new URLSearchParams({ ...(labelSelector && { labelSelector }), limit: String(PAGE) });
      if (page !== undefined) query.set("continue", page);
      const request = { method: "GET", path: `${path}?${query}`, doing, repeatable: true } as const;
      const { items, metadata } = await this.#ask<ListAnswer<T>>(request, "items");
      yield {
        items: (items ?? []).map((item) => ({ ...item, apiVersion, kind })),
        resourceVersion: metadata?.resourceVersion ?? "",
      };
      page = metadata?.continue || undefined;
    } while (page !== undefined);
  }

  /** What happens to a kind's objects in a namespace, or in all, after a version, until the API server ends it or the signal is
   * aborted; `opened` is called once it has agreed. An object that a selector selects no more is told as deleted. */
  async *watch<T extends KubeObject>(
    apiVersion: string,
    kind: string,
    { namespace, labelSelector, resourceVersion }: ListScope & { resourceVersion: string },
    opened: () => void = () => {},
  ): AsyncGenerator<WatchEvent<T>> {
    const doing = `watch ${kind}s in ${namespace ?? "all namespaces"}`;
    const path = await this.#collection(apiVersion, kind, namespace, doing);
    const timeoutSeconds = String(WATCH_SECONDS);
    const query = new URLSearchParams({ watch: "1", allowWatchBookmarks: "true", timeoutSeconds, resourceVersion });
    if (labelSelector) query.set("labelSelector", labelSelector);
    const { signal, rightsHint } = this.options;
    for await (const line of watchLines(this.transport, `${path}?${query}`, signal, opened)) {
      const event = parsed(line) as { type: string; object: T & { code?: number } } | undefined;
      if (event === undefined) continue;
      if (event.type === "ERROR") {
        const { code = 500 } = event.object;
        throw new ApiError({ code, body: JSON.stringify(event.object), server: this.server, doing, rightsHint });
      }
      yield event as WatchEvent<T>;
    }
  }

  /** Makes an object that is not there; `isStale` when there is one. */
  async create<T extends KubeObject>(object: T, dryRun = false): Promise<T> {
    const doing = `create ${title(object)}`;
    const path = await this.#collection(object.apiVersion ?? "", object.kind ?? "", object.metadata?.namespace, doing);
    return this.#ask<T>({ method: "POST", path: path + this.#written(dryRun), body: object, doing, repeatable: false });
  }

  /** Puts the object in place of the version that its resourceVersion names; `isStale` when somebody has changed it meanwhile. */
  async replace<T extends KubeObject>(object: T, dryRun = false): Promise<T> {
    const doing = `update ${title(object)}`;
    const path = `${await this.#pathOf(object, doing)}${this.#written(dryRun)}`;
    return this.#ask<T>({ method: "PUT", path, body: object, doing, repeatable: false });
  }

  #written(dryRun: boolean): string {
    const { fieldManager } = this.options;
    return `?${new URLSearchParams({ fieldManager, ...(dryRun && { dryRun: "All" }) })}`;
  }

  /**
   * Server-side apply; the answer is the object as the API server would keep it. An object with a resourceVersion is applied to
   * that version alone: when somebody has changed it meanwhile, the ApiError `isStale`.
   */
  async apply<T extends KubeObject>(
    object: T,
    { dryRun = false, force = false, subresource }: ApplyOptions = {},
  ): Promise<T> {
    const { fieldManager } = this.options;
    const query = new URLSearchParams({ fieldManager, force: String(force), ...(dryRun && { dryRun: "All" }) });
    const doing = `patch ${subresource === undefined ? "" : `the ${subresource} of `}${title(object)}`;
    const path = `${await this.#pathOf(object, doing)}${subresource === undefined ? "" : `/${subresource}`}`;
    return this.#ask<T>({
      method: "PATCH",
      path: `${path}?${query}`,
      body: object,
      contentType: "application/apply-patch+yaml",
      doing,
      // Applied a second time it changes nothing, but the version that it is bound to is gone after the first.
      repeatable: object.metadata?.resourceVersion === undefined,
    });
  }

  /** Deletes exactly the version that was looked at, and the object that has the ref's uid where it has one; false when it is gone already. */
  async remove(ref: Ref, resourceVersion?: string, dryRun = false): Promise<boolean> {
    const doing = `delete ${title(ref)}`;
    const { uid } = ref.metadata;
    const preconditions = {
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
    };
    const body = Object.keys(preconditions).length > 0 ? { preconditions } : {};
    try {
      const path = `${await this.#pathOf(ref, doing)}${dryRun ? "?dryRun=All" : ""}`;
      await this.#ask({ method: "DELETE", path, body, doing, repeatable: true });
      return true;
    } catch (thrown) {
      if (isNotFound(thrown)) return false;
      throw thrown;
    }
  }

  async serverVersion(): Promise<string> {
    const request = { method: "GET", path: "/version", doing: "read the version", repeatable: true } as const;
    return (await this.#ask<{ gitVersion: string }>(request)).gitVersion;
  }

  /** The resources that one API group version has now, empty when the cluster does not have it. */
  async resources(group: string, version: string): Promise<ApiResource[]> {
    const apiVersion = group === "" ? version : `${group}/${version}`;
    this.#discovered.delete(apiVersion);
    return this.#discover(apiVersion);
  }

  async may({ verb, group, resource, namespace, name }: AccessRight): Promise<boolean> {
    const [plural, subresource] = resource.split("/");
    const resourceAttributes = { verb, group, resource: plural, namespace, name, subresource };
    const spec = { resourceAttributes };
    const status = await this.review<{ allowed?: boolean }>("authorization.k8s.io/v1", "SelfSubjectAccessReview", spec);
    return status?.allowed === true;
  }

  /** What the API server says of a question of the kind: TokenReview, SubjectAccessReview. */
  async review<Status>(apiVersion: string, kind: string, spec: object): Promise<Status | undefined> {
    const answer = await this.#ask<{ status?: Status }>({
      method: "POST",
      path: `/apis/${apiVersion}/${kind.toLowerCase()}s`,
      body: { apiVersion, kind, spec },
      doing: `ask for a ${kind}`,
      repeatable: true,
    });
    return answer.status;
  }

  /** GET on a port of a service, made by the API server. */
  async readService(namespace: string, service: string, port: number, path: string): Promise<string> {
    return this.#send({
      method: "GET",
      path: `/api/v1/namespaces/${namespace}/services/${service}:${port}/proxy/${path}`,
      doing: `get ${path} of service ${namespace}/${service}:${port}`,
      repeatable: true,
      // 503 says here that the service has no pod that answers.
      tries: 1,
    });
  }

  /** `list` names the field that the answer must have, as a list that is missing is not an empty one. */
  async #ask<T>(request: ApiRequest, list?: keyof T & string): Promise<T> {
    const answer = parsed(await this.#send(request));
    if (isObject(answer) && (list === undefined || list in answer)) return answer as T;
    const what = answer === undefined ? "no JSON" : `no ${list ?? "object"}`;
    throw new KeywayError(`can't ${request.doing}: what answers is no Kubernetes API server, it sends ${what}`, {
      where: this.server,
      next: "see that the kubeconfig's server, and its proxy if it has one, are right",
    });
  }

  async #send(request: ApiRequest): Promise<string> {
    const { signal, rightsHint } = this.options;
    const { code, body } = await this.transport.send(request, signal);
    if (code >= 200 && code < 300) return body;
    throw new ApiError({ code, body, server: this.server, doing: request.doing, rightsHint });
  }

  async #pathOf({ apiVersion = "", kind = "", metadata }: KubeObject, doing: string): Promise<string> {
    return `${await this.#collection(apiVersion, kind, metadata?.namespace, doing)}/${encodeURIComponent(metadata?.name ?? "")}`;
  }

  async #collection(apiVersion: string, kind: string, namespace: string | undefined, doing: string): Promise<string> {
    const offered = (await this.#discover(apiVersion)).find((one) => one.kind === kind && !one.name.includes("/"));
    if (offered === undefined) {
      // Somebody may bring the kind meanwhile.
      this.#discovered.delete(apiVersion);
      throw this.#unknownKind(apiVersion, kind, doing);
    }
    return `${root(apiVersion)}${namespace && offered.namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : ""}/${offered.name}`;
  }

  #unknownKind(apiVersion: string, kind: string, doing: string): ApiError {
    const message = `the cluster has no ${kind} of ${apiVersion}`;
    const { rightsHint } = this.options;
    return new ApiError({ code: 404, body: JSON.stringify({ message }), server: this.server, doing, rightsHint });
  }

  #discover(apiVersion: string): Promise<ApiResource[]> {
    const doing = `read what ${apiVersion} offers`;
    const known =
      this.#discovered.get(apiVersion) ??
      this.#ask<{ resources: ApiResource[] | null }>(
        { method: "GET", path: root(apiVersion), doing, repeatable: true },
        "resources",
      ).then(
        ({ resources }) => resources ?? [],
        (thrown: unknown) => {
          this.#discovered.delete(apiVersion);
          if (isNotFound(thrown)) return [];
          throw thrown;
        },
      );
    this.#discovered.set(apiVersion, known);
    return known;
  }
}

/** Undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function root(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}
