import type { Cluster } from "../shared/cluster/cluster.ts";
import type { KubeObject, Meta } from "../shared/cluster/object.ts";

const MOST_NOTE = 1024; // characters, which is what the API server takes
const SILENCE_MS = 300_000;

export interface EventSettings {
  cluster: Cluster;
  identity: string;
  /** Told once for each reason why events can't be written; they are not tried again. */
  failed: (thrown: unknown) => void;
}

export interface Told {
  type: "Normal" | "Warning";
  reason: string;
  note: string;
  action: string;
}

/** Writes events about objects; the same one again only after five minutes. */
export class Events {
  readonly #settings: EventSettings;
  /** When each was written, by object and text. */
  readonly #written = new Map<string, Map<string, number>>();
  #count = 0;

  constructor(settings: EventSettings) {
    this.#settings = settings;
  }

  tell(object: KubeObject, { type, reason, note, action }: Told): void {
    const { metadata = {} } = object;
    const about = `${object.kind} ${metadata.namespace}/${metadata.name}`;
    const texts = this.#written.get(about) ?? new Map<string, number>();
    this.#written.set(about, texts);
    const now = performance.now();
    for (const [text, at] of texts) if (now - at >= SILENCE_MS) texts.delete(text);
    const text = `${reason} ${note}`;
    if (texts.has(text)) return;
    texts.set(text, now);
    const time = new Date().toISOString();
    const event = {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: this.#name(metadata), namespace: metadata.namespace },
      eventTime: time.replace("Z", "000Z"),
      reportingController: "keyway.dev/controller",
      reportingInstance: this.#settings.identity.slice(0, 128),
      action,
      reason,
      type,
      note: note.length > MOST_NOTE ? `${note.slice(0, MOST_NOTE - 3)}...` : note,
      regarding: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        name: metadata.name,
        namespace: metadata.namespace,
        uid: metadata.uid,
        resourceVersion: metadata.resourceVersion,
      },
    };
    // Nobody waits for an event: what it says stands in the status, too.
    void this.#settings.cluster.create(event as KubeObject).catch(this.#settings.failed);
  }

  /** The object is no more. */
  forget(kind: string, namespace: string, name: string): void {
    this.#written.delete(`${kind} ${namespace}/${name}`);
  }

  #name({ name }: Meta): string {
    return `${`${name}`.slice(0, 220)}.${Date.now().toString(16)}${(this.#count++ % 4096).toString(16).padStart(3, "0")}`;
  }
}
