import type { KubeConfig, KubernetesObject, KubernetesObjectApi, V1APIResourceList } from "@kubernetes/client-node";
import { FIELD_MANAGER } from "../manifests/names.ts";
import type { Right } from "../manifests/rights.ts";
import { explainApi, isNotFound } from "./api-errors.ts";
import { type ClusterChoice, loadKubeConfig } from "./kubeconfig.ts";
import { type KubeObject, type Ref, title } from "./object.ts";

export interface ApplyOptions {
  dryRun?: boolean;
  /** Takes back the fields that others have changed. */
  force?: boolean;
}

/** All that Keyway asks of a Kubernetes API server. Every failure is a KeywayError that names the verb and the thing. */
export class Cluster {
  readonly server: string;
  /** The namespace of the chosen context. */
  readonly namespace: string;
  readonly config: KubeConfig;
  readonly #objects: KubernetesObjectApi;
  readonly #client: typeof import("@kubernetes/client-node");

  constructor(client: typeof import("@kubernetes/client-node"), config: KubeConfig) {
    this.#client = client;
    this.config = config;
    this.#objects = client.KubernetesObjectApi.makeApiClient(config);
    this.server = config.getCurrentCluster()?.server ?? "";
    this.namespace = config.getContextObject(config.getCurrentContext())?.namespace ?? "default";
  }

  static async connect(choice: ClusterChoice, env: Readonly<Record<string, string | undefined>>): Promise<Cluster> {
    const config = await loadKubeConfig(choice, env);
    return new Cluster(await import("@kubernetes/client-node"), config);
  }

  /** Undefined when there is no such object. */
  async get<T extends KubeObject>(ref: Ref): Promise<T | undefined> {
    try {
      return (await this.#objects.read(ref)) as T;
    } catch (thrown) {
      if (isNotFound(thrown)) return undefined;
      throw explainApi(thrown, this.server, `get ${title(ref)}`);
    }
  }

  async list<T extends KubeObject>(
    apiVersion: string,
    kind: string,
    { namespace, labelSelector }: { namespace?: string; labelSelector?: string } = {},
  ): Promise<T[]> {
    const found: T[] = [];
    let page: string | undefined;
    try {
      do {
        const listed = await this.#objects.list(
          apiVersion,
          kind,
          namespace,
          undefined,
          undefined,
          undefined,
          undefined,
          labelSelector,
          500,
          page,
        );
        found.push(...listed.items.map((item) => ({ ...item, apiVersion, kind }) as KubeObject as T));
        page = listed.metadata?._continue;
      } while (page);
      return found;
    } catch (thrown) {
      throw explainApi(thrown, this.server, `list ${kind}s in ${namespace ?? "all namespaces"}`);
    }
  }

  /** Server-side apply; the answer is the object as the API server would keep it. */
  async apply<T extends KubeObject>(object: T, { dryRun = false, force = false }: ApplyOptions = {}): Promise<T> {
    const { ServerSideApply } = this.#client.PatchStrategy;
    const dry = dryRun ? "All" : undefined;
    const wanted = object as KubernetesObject;
    return (await this.#objects.patch(
      wanted,
      undefined,
      dry,
      FIELD_MANAGER,
      force,
      ServerSideApply,
    )) as KubeObject as T;
  }

  /** Deletes exactly the version that was looked at; false when it is gone already. */
  async remove(ref: Ref, resourceVersion?: string, dryRun = false): Promise<boolean> {
    const preconditions = resourceVersion === undefined ? {} : { preconditions: { resourceVersion } };
    const dry = dryRun ? "All" : undefined;
    try {
      await this.#objects.delete(ref, undefined, dry, undefined, undefined, undefined, preconditions);
      return true;
    } catch (thrown) {
      if (isNotFound(thrown)) return false;
      throw explainApi(thrown, this.server, `delete ${title(ref)}`);
    }
  }

  async serverVersion(): Promise<string> {
    try {
      return (await this.config.makeApiClient(this.#client.VersionApi).getCode()).gitVersion;
    } catch (thrown) {
      throw explainApi(thrown, this.server, "read the version");
    }
  }

  /** The resources of one API group version, empty when the cluster does not have it. */
  async resources(group: string, version: string): Promise<V1APIResourceList["resources"]> {
    try {
      const custom = this.config.makeApiClient(this.#client.CustomObjectsApi);
      return (await custom.getAPIResources({ group, version })).resources;
    } catch (thrown) {
      if (isNotFound(thrown)) return [];
      throw explainApi(thrown, this.server, `read what ${group}/${version} offers`);
    }
  }

  async may({ verb, group, resource, namespace, name }: Right): Promise<boolean> {
    const [plural, subresource] = resource.split("/");
    const attributes = {
      verb,
      group,
      resource: plural ?? "",
      namespace,
      ...(name && { name }),
      ...(subresource && { subresource }),
    };
    try {
      const access = this.config.makeApiClient(this.#client.AuthorizationV1Api);
      const { status } = await access.createSelfSubjectAccessReview({
        body: {
          apiVersion: "authorization.k8s.io/v1",
          kind: "SelfSubjectAccessReview",
          spec: { resourceAttributes: attributes },
        },
      });
      return status?.allowed === true;
    } catch (thrown) {
      throw explainApi(thrown, this.server, "ask which rights are held");
    }
  }

  /** GET on a port of a service, made by the API server. */
  async readService(namespace: string, service: string, port: number, path: string): Promise<string> {
    try {
      const core = this.config.makeApiClient(this.#client.CoreV1Api);
      const name = `${service}:${port}`;
      return await core.connectGetNamespacedServiceProxyWithPath({ name, namespace, path });
    } catch (thrown) {
      throw explainApi(thrown, this.server, `get ${path} of service ${namespace}/${service}:${port}`);
    }
  }
}
