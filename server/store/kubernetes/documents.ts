// The documents in a cluster: ConfigMaps of the namespace into which routes are written. Their versions are resourceVersions.
import { DOCUMENT_LABEL } from "../../../routes/model/route-resource.ts";
import { atOnce } from "../../../shared/at-once.ts";
import { statusOf } from "../../../shared/cluster/api-errors.ts";
import type { Cluster } from "../../../shared/cluster/cluster.ts";
import { Informer } from "../../../shared/cluster/informer.ts";
import type { KubeObject, Ref } from "../../../shared/cluster/object.ts";
import { reason } from "../../../shared/errors.ts";
import { shortName } from "../../../shared/short-name.ts";
import type { DocumentChange, Documents, DocumentWrite } from "../documents.ts";
import { KnownDocuments } from "../known-documents.ts";
import { Unavailable } from "../store.ts";
import { writeFailure } from "./failures.ts";

/** Requests at one time, and how often one is made again that somebody else was before. */
const AT_ONCE = 16;
const TRIES = 20;

type ConfigMap = KubeObject & { data?: { id?: string; text?: string } };

interface Settings {
  namespace: string;
  retryMs: number;
  /** Milliseconds that what was written is waited for. */
  toldMs: number;
}

export class KubernetesDocuments implements Documents {
  readonly #cluster: Cluster;
  readonly #settings: Settings;
  readonly #known = new KnownDocuments();
  readonly #informer: Informer<ConfigMap, DocumentChange>;

  constructor(cluster: Cluster, settings: Settings) {
    this.#cluster = cluster;
    this.#settings = settings;
    this.#informer = new Informer(cluster, {
      apiVersion: "v1",
      kind: "ConfigMap",
      namespace: settings.namespace,
      labelSelector: DOCUMENT_LABEL,
      retryMs: settings.retryMs,
      keep: toDocument,
      onChange: (before, after) => {
        if (after) this.#known.tell([after]);
        else if (before) this.#known.tell([{ id: before.id, version: before.version }]);
      },
      onVersion: (version) => this.#known.reached(version),
    });
  }

  async follow(onChange: (changes: readonly DocumentChange[]) => void): Promise<void> {
    this.#known.onChange = onChange;
    await this.#informer.start();
    const { trouble } = this.#informer;
    if (trouble === undefined) return;
    throw new Unavailable(`the ConfigMaps with what clients have said can't be read: ${reason(trouble)}`, {
      where: this.#cluster.server,
      next: "have an administrator apply what `keyway render rbac --server --amalgam8 -n NAMESPACE --service-account NAMESPACE/NAME` prints",
      cause: trouble,
    });
  }

  async write(writes: readonly DocumentWrite[]): Promise<(number | undefined)[]> {
    const versions = await atOnce(AT_ONCE, writes, (one) => this.#writeOne(one)).catch((thrown) => {
      throw writeFailure(thrown, this.#cluster.server);
    });
    const isTold = () => writes.every(({ id, text }, at) => this.#isTold(id, text, versions[at]));
    if (await this.#known.until(isTold, AbortSignal.timeout(this.#settings.toldMs))) return versions;
    throw new Unavailable("what was written is not told by the API server", {
      where: this.#cluster.server,
      next: "it goes on by itself once the watch does; look whether the API server is well",
    });
  }

  #isTold(id: string, text: string | undefined, version: number | undefined): boolean {
    if (version === undefined) return true;
    const known = this.#known.versionOf(id);
    return text === undefined ? known === 0 || known > version : known >= version || this.#known.version >= version;
  }

  async #writeOne(write: DocumentWrite): Promise<number | undefined> {
    const { id, version } = write;
    for (let tries = version === undefined ? TRIES : 1; tries > 0; tries--) {
      const before = version ?? this.#known.versionOf(id);
      const written = await this.#put(write, before);
      if (written !== undefined) return written;
      // What somebody else has written comes by the watch.
      if (tries > 1) await this.#known.until(() => this.#known.versionOf(id) !== before, AbortSignal.timeout(50));
    }
    if (version !== undefined) return undefined;
    throw new Unavailable("others change the same document all the time", { where: id, next: "send it again" });
  }

  /** Undefined where another version is there than `before`. */
  async #put({ id, text }: DocumentWrite, before: number): Promise<number | undefined> {
    const object = this.#objectOf(id, text, before);
    try {
      if (text === undefined) {
        if (before === 0) return 0;
        return (await this.#cluster.remove(object, String(before))) ? before : undefined;
      }
      const written = await (before === 0 ? this.#cluster.create(object) : this.#cluster.replace(object));
      return Number(written.metadata?.resourceVersion);
    } catch (thrown) {
      const status = statusOf(thrown);
      if (status === 409 || (status === 404 && before > 0)) return undefined;
      throw thrown;
    }
  }

  #objectOf(id: string, text: string | undefined, before: number): ConfigMap & Ref {
    return {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name: shortName("keyway-document", id),
        namespace: this.#settings.namespace,
        labels: { [DOCUMENT_LABEL]: "true", "app.kubernetes.io/managed-by": "keyway" },
        ...(before > 0 && { resourceVersion: String(before) }),
      },
      data: { id, ...(text !== undefined && { text }) },
    };
  }
}

function toDocument({ metadata, data }: ConfigMap): DocumentChange {
  return { id: data?.id ?? "", version: Number(metadata?.resourceVersion), text: data?.text ?? "" };
}
