import { isDeepStrictEqual } from "node:util";
import type { SandboxStatus } from "../routes/model/sandbox.ts";
import type { ConditionedStatus, StatusCondition } from "../routes/model/status.ts";
import { ApiError, isNotFound } from "../shared/cluster/api-errors.ts";
import type { Cluster } from "../shared/cluster/cluster.ts";
import type { KubeObject } from "../shared/cluster/object.ts";
import { KeywayError } from "../shared/errors.ts";
import type { Events } from "./events.ts";

type Object = KubeObject & { status?: ConditionedStatus };

const CRDS_HINT = "have an administrator run `keyway render crds | kubectl apply -f -`";

/** The cluster's custom resources are of a version whose kind has no status. */
export class WithoutStatus extends KeywayError {
  override name = "WithoutStatus";
}

/** Writes statuses where they are others than before, and tells by events what has become false, and true again. */
export class StatusWriter {
  readonly #cluster: Cluster;
  readonly #events: Events;
  /** Told once: the custom resources are of an older version. */
  readonly #outdated: (why: string) => void;

  constructor(cluster: Cluster, events: Events, outdated: (why: string) => void) {
    this.#cluster = cluster;
    this.#events = events;
    this.#outdated = outdated;
  }

  /** Whether there is something to write. */
  differs({ status }: Object, wanted: SandboxStatus): boolean {
    return !isDeepStrictEqual(status ?? {}, plain(wanted));
  }

  /** The object as it is then; undefined when it is no more, or another of its name is there: whoever asks hears of that by themselves. */
  async write<T extends Object>(object: T, wanted: SandboxStatus): Promise<T | undefined> {
    const { apiVersion, kind, metadata: { name, namespace, uid } = {} } = object;
    const body = (status: object) =>
      ({ apiVersion, kind, metadata: { name, namespace, ...(uid !== undefined && { uid }) }, status }) as KubeObject;
    let written: KubeObject;
    try {
      written = await this.#apply(body(wanted)).catch((thrown: unknown) => {
        if (!isUnknownField(thrown)) throw thrown;
        this.#outdated(`the custom resources are of an older version, which knows less of statuses: ${CRDS_HINT}`);
        const { observedGeneration, conditions = [] } = wanted;
        return this.#apply(body({ ...(observedGeneration !== undefined && { observedGeneration }), conditions }));
      });
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.code === 409) return undefined;
      if (isNotFound(thrown)) return this.#isGone(object);
      throw thrown;
    }
    this.#tell(object, wanted.conditions ?? []);
    return written as T;
  }

  #apply(object: KubeObject): Promise<KubeObject> {
    return this.#cluster.apply(object, { force: true, subresource: "status" });
  }

  /** Where the object is there it is the status that the API server does not know. */
  async #isGone({ apiVersion = "", kind = "", metadata }: Object): Promise<undefined> {
    const ref = { apiVersion, kind, metadata: { name: `${metadata?.name}`, namespace: `${metadata?.namespace}` } };
    if ((await this.#cluster.get(ref)) === undefined) return undefined;
    throw new WithoutStatus(`in this cluster a ${kind} has no status: the custom resources are of an older version`, {
      next: CRDS_HINT,
    });
  }

  #tell(object: Object, conditions: readonly StatusCondition[]): void {
    for (const { type, status, reason, message } of conditions) {
      const before = object.status?.conditions?.find((one) => one.type === type);
      const isNews = before?.status !== status || before.reason !== reason || before.message !== message;
      // How far proxies are changes all the time, and is no event.
      if (!isNews || type === "InForce") continue;
      if (status === "False") this.#events.tell(object, { type: "Warning", reason, note: message, action: type });
      else if (status === "True" && before?.status === "False") {
        this.#events.tell(object, { type: "Normal", reason, note: message, action: type });
      }
    }
  }
}

/** As the API server gives it back: without what is undefined. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function isUnknownField(thrown: unknown): boolean {
  return thrown instanceof ApiError && /field not declared in schema|unknown field/.test(thrown.said);
}
