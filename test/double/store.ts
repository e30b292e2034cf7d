import { isDeepStrictEqual } from "node:util";
import { nameInMessages, type Resource } from "./resources.ts";
import { type ApplyRequest, applied } from "./server-side-apply.ts";
import { Refusal } from "./status.ts";

export interface ManagedFields {
  manager: string;
  operation: "Apply" | "Update";
  apiVersion: string;
  fieldsType: "FieldsV1";
  fieldsV1: object;
}

export interface Stored {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    generation?: number;
    deletionTimestamp?: string;
    finalizers?: string[];
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    managedFields?: ManagedFields[];
  };
  spec?: unknown;
  status?: unknown;
}

export interface WatchEvent {
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: Stored;
}

export interface Key {
  resource: Resource;
  namespace: string;
  name: string;
}

/** `before` is what the object was. */
export type Watcher = (key: Key, event: WatchEvent, before: Stored | undefined) => void;

/** What an object has to be for a request to be carried out. */
export interface Preconditions {
  resourceVersion?: string;
  uid?: string;
}

/** Events that a watch can still be resumed from. */
const EVENTS_KEPT = 100;

/** The objects, their versions, and what has happened to them. */
export class Store {
  #version = 1000;
  readonly #objects = new Map<string, { key: Key; object: Stored }>();
  readonly #events: { version: number; key: Key; event: WatchEvent; before: Stored | undefined }[] = [];
  readonly #watchers = new Set<Watcher>();

  get version(): string {
    return String(this.#version);
  }

  get(key: Key): Stored {
    const there = this.#objects.get(textOf(key));
    if (there === undefined) {
      throw new Refusal(404, "NotFound", `${nameInMessages(key.resource, key.name)} not found`);
    }
    return there.object;
  }

  find(key: Key): Stored | undefined {
    return this.#objects.get(textOf(key))?.object;
  }

  /** All objects, in the order in which they were made. */
  all(): Stored[] {
    return [...this.#objects.values()].map(({ object }) => object);
  }

  /** In the order of namespace and name; an empty namespace stands for all. */
  list(resource: Resource, namespace: string): Stored[] {
    return [...this.#objects.entries()]
      .filter(([, { key }]) => key.resource === resource && (namespace === "" || key.namespace === namespace))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { object }]) => object);
  }

  apply(key: Key, wanted: Stored, request: ApplyRequest, dryRun: boolean): { object: Stored; created: boolean } {
    const live = this.find(key);
    const { resourceVersion, uid } = wanted.metadata;
    if (resourceVersion !== undefined) this.#refuseOther(key, live, resourceVersion);
    if (uid !== undefined) refuseOtherUid(live, uid);
    const object = counted(live, applied(live, wanted, request));
    const same = live !== undefined && JSON.stringify(live) === JSON.stringify(object);
    if (dryRun || same) return { object, created: live === undefined };
    object.metadata.uid ??= `uid-${this.#version + 1}`;
    this.#put(key, object, live === undefined ? "ADDED" : "MODIFIED");
    return { object, created: live === undefined };
  }

  /** The status alone, which one manager writes. */
  applyStatus(key: Key, { metadata: { uid }, status }: Stored): Stored {
    const live = this.get(key);
    if (uid !== undefined) refuseOtherUid(live, uid);
    const object = { ...structuredClone(live), status };
    if (!isDeepStrictEqual(live.status, status)) this.#put(key, object, "MODIFIED");
    return this.get(key);
  }

  create(key: Key, wanted: Stored, dryRun: boolean): Stored {
    if (this.find(key)) {
      throw new Refusal(409, "AlreadyExists", `${nameInMessages(key.resource, key.name)} already exists`);
    }
    const object = counted(undefined, structuredClone(wanted));
    object.metadata.uid = `uid-${this.#version + 1}`;
    if (!dryRun) this.#put(key, object, "ADDED");
    return object;
  }

  /** As PUT does: without a version whatever is there. */
  replace(key: Key, wanted: Stored, dryRun: boolean): Stored {
    const live = this.get(key);
    const { resourceVersion } = wanted.metadata;
    if (resourceVersion !== undefined) this.#refuseOther(key, live, resourceVersion);
    const object = counted(live, structuredClone(wanted));
    if (!dryRun) this.#put(key, object, "MODIFIED");
    return object;
  }

  /** Puts an object there as it is, status included. */
  put(key: Key, object: Stored): void {
    this.#put(key, structuredClone(object), this.find(key) === undefined ? "ADDED" : "MODIFIED");
  }

  delete(key: Key, { resourceVersion, uid }: Preconditions, dryRun: boolean): void {
    const object = this.get(key);
    if (resourceVersion !== undefined) this.#refuseOther(key, object, resourceVersion);
    if (uid !== undefined) refuseOtherUid(object, uid);
    if (dryRun) return;
    if ((object.metadata.finalizers ?? []).length === 0) this.#remove(key, object);
    else if (object.metadata.deletionTimestamp === undefined) {
      const leaving = structuredClone(object);
      leaving.metadata.deletionTimestamp = new Date().toISOString().replace(/\.\d+/, "");
      this.#put(key, leaving, "MODIFIED");
    }
  }

  /** As after an older backup was put in its place: versions count from there anew. */
  rewind(version: number): void {
    this.#version = version;
    this.#events.length = 0;
  }

  /** Tells what has happened after `since`, then what happens; returns the way to stop. */
  watch(since: string, tell: Watcher): () => void {
    const from = Number(since);
    const oldest = this.#events[0]?.version ?? this.#version;
    if (this.#events.length === EVENTS_KEPT && from < oldest - 1) {
      throw new Refusal(410, "Expired", `too old resource version: ${since} (${this.version})`);
    }
    for (const { version, key, event, before } of this.#events) if (version > from) tell(key, event, before);
    this.#watchers.add(tell);
    return () => this.#watchers.delete(tell);
  }

  #remove(key: Key, object: Stored): void {
    this.#objects.delete(textOf(key));
    this.#tell(key, { type: "DELETED", object: this.#stamped(structuredClone(object)) }, object);
  }

  /** One that is being deleted is gone with its last finalizer. */
  #put(key: Key, object: Stored, type: "ADDED" | "MODIFIED"): void {
    const { deletionTimestamp, finalizers = [] } = object.metadata;
    if (type === "MODIFIED" && deletionTimestamp !== undefined && finalizers.length === 0) {
      this.#remove(key, object);
      return;
    }
    const before = this.find(key);
    const stamped = this.#stamped(object);
    this.#objects.set(textOf(key), { key, object: stamped });
    this.#tell(key, { type, object: stamped }, before);
  }

  #stamped(object: Stored): Stored {
    object.metadata.resourceVersion = String(++this.#version);
    return object;
  }

  #tell(key: Key, event: WatchEvent, before: Stored | undefined): void {
    const snapshot = structuredClone(event);
    this.#events.push({ version: this.#version, key, event: snapshot, before });
    if (this.#events.length > EVENTS_KEPT) this.#events.shift();
    for (const tell of this.#watchers) tell(key, snapshot, before);
  }

  #refuseOther({ resource, name }: Key, live: Stored | undefined, version: string): void {
    if (live?.metadata.resourceVersion === version) return;
    throw new Refusal(
      409,
      "Conflict",
      `Operation cannot be fulfilled on ${nameInMessages(resource, name)}: the object has been modified; please apply your changes to the latest version and try again`,
    );
  }
}

function refuseOtherUid(live: Stored | undefined, uid: string): void {
  if (live?.metadata.uid === uid) return;
  const there = live?.metadata.uid ?? "";
  throw new Refusal(409, "Conflict", `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${there}`);
}

function textOf({ resource, namespace, name }: Key): string {
  return `${resource.group}/${resource.plural}/${namespace}/${name}`;
}

/** Of Keyway's own kinds, which have a subresource for it, the status stays, and the generation counts the specs that there were. */
function counted(live: Stored | undefined, object: Stored): Stored {
  if (!object.apiVersion.startsWith("keyway.dev/")) return object;
  const { status: _, ...rest } = object;
  const { generation = 0 } = live?.metadata ?? {};
  const isSame = live !== undefined && isDeepStrictEqual(live.spec, object.spec);
  return {
    ...rest,
    metadata: { ...object.metadata, generation: isSame ? Math.max(generation, 1) : generation + 1 },
    ...(live?.status !== undefined && { status: live.status }),
  };
}
