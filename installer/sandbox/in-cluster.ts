import { SANDBOX_API, SANDBOX_KIND, type SandboxResource } from "../../routes/model/sandbox.ts";
import { ApiError } from "../../shared/cluster/api-errors.ts";
import type { ApplyOptions, Cluster } from "../../shared/cluster/cluster.ts";
import { KeywayError } from "../../shared/errors.ts";
import { explainMissingKind } from "../route-table/missing-kind.ts";

/** The Sandboxes of a cluster, in one namespace or in all. */
export class Sandboxes {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async list(namespace?: string): Promise<SandboxResource[]> {
    const scope = namespace === undefined ? {} : { namespace };
    const listed = await this.#cluster
      .list<SandboxResource>(SANDBOX_API, SANDBOX_KIND, scope)
      .catch(explainMissingKind(SANDBOX_KIND));
    return listed.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  }

  get(namespace: string, name: string): Promise<SandboxResource | undefined> {
    return this.#cluster.get<SandboxResource>({
      apiVersion: SANDBOX_API,
      kind: SANDBOX_KIND,
      metadata: { name, namespace },
    });
  }

  async apply(sandbox: SandboxResource, options: ApplyOptions): Promise<SandboxResource> {
    try {
      return await this.#cluster.apply(sandbox, options).catch(explainMissingKind(SANDBOX_KIND));
    } catch (thrown) {
      if (!(thrown instanceof ApiError && thrown.isFieldConflict)) throw thrown;
      throw new KeywayError(
        `others have written fields of Sandbox ${nameOf(sandbox)} that keyway would set: ${thrown.said}`,
        {
          where: `Sandbox ${nameOf(sandbox)}`,
          next: "look with --diff, then take the fields back with --force-conflicts",
          cause: thrown,
        },
      );
    }
  }

  /** Deletes this very Sandbox; false when it is gone already. */
  remove({ metadata }: SandboxResource, dryRun: boolean): Promise<boolean> {
    const { name, namespace, uid } = metadata;
    const ref = { apiVersion: SANDBOX_API, kind: SANDBOX_KIND, metadata: { name, namespace, ...(uid && { uid }) } };
    return this.#cluster.remove(ref, undefined, dryRun);
  }
}

export function nameOf({ metadata }: SandboxResource): string {
  return `${metadata.namespace}/${metadata.name}`;
}
