import type { ConditionedStatus } from "../routes/model/status.ts";
import { isForbidden } from "../shared/cluster/api-errors.ts";
import type { KubeObject, Meta } from "../shared/cluster/object.ts";
import { type StatusWriter, WithoutStatus } from "./status.ts";

type Object = KubeObject & { metadata: Meta; status?: ConditionedStatus };

/** The numbers of proxies are written this often, while they change. */
const NUMBERS_MS = 1000;

/** The statuses that this controller writes, as they are known to be: what it has written is known before the watch tells of it. */
export class OwnStatuses {
  readonly #writer: StatusWriter;
  readonly #refusalMs: number;
  /** By namespace, until when nothing is written there. */
  readonly #refusedUntil = new Map<string, number>();
  readonly #numbersAt = new Map<string, number>();
  /** As they were written last, for as long as nobody has told of that. */
  readonly #written = new Map<string, Object>();

  /** For `refusalMs` after the API server has refused one of a namespace's statuses for want of a right, or because the kind has none, no other
   * one is tried: of many objects each would be refused. */
  constructor(writer: StatusWriter, refusalMs = 0) {
    this.#writer = writer;
    this.#refusalMs = refusalMs;
  }

  forget(name: string): void {
    this.#numbersAt.delete(name);
    this.#written.delete(name);
  }

  /** The object with the newest status that is known. */
  newest<T extends Object>(name: string, told: T): T {
    const written = this.#written.get(name);
    const isNewer = Number(written?.metadata.resourceVersion) > Number(told.metadata.resourceVersion);
    if (written && isNewer && written.metadata.uid === told.metadata.uid) {
      return { ...told, ...(written.status && { status: written.status }) };
    }
    this.#written.delete(name);
    return told;
  }

  /**
   * Writes a status where it is another one. The milliseconds to wait where nothing but numbers have changed, and not long ago. While a change `isYoung` an
   * object's first status is left until it says that the object is in force: many objects that come at one time would take two writes each, which
   * the last of them would wait for.
   */
  async write(
    name: string,
    object: Object,
    wanted: ConditionedStatus,
    { isYoung }: { isYoung: boolean },
  ): Promise<number | undefined> {
    if (!this.#writer.differs(object, wanted)) return undefined;
    if (isYoung && object.status?.conditions === undefined && isWellSoFar(wanted)) return undefined;
    const { namespace = "" } = object.metadata;
    const refused = (this.#refusedUntil.get(namespace) ?? 0) - performance.now();
    if (refused > 0) return refused;
    const isSame = withoutNumbers(object.status) === withoutNumbers(wanted);
    const wait = isSame ? NUMBERS_MS - (performance.now() - (this.#numbersAt.get(name) ?? 0)) : 0;
    if (wait > 0) return wait;
    this.#numbersAt.set(name, performance.now());
    try {
      const written = await this.#writer.write(object, wanted);
      if (written) this.#written.set(name, written);
    } catch (thrown) {
      const isOfAll = isForbidden(thrown) || thrown instanceof WithoutStatus;
      if (isOfAll) this.#refusedUntil.set(namespace, performance.now() + this.#refusalMs);
      throw thrown;
    }
    return undefined;
  }
}

/** The time of this moment, as conditions have it. */
export function conditionTime(): string {
  return new Date().toISOString().replace(/\.\d+/, "");
}

export function numbersOf({ total, inForce }: { total: number; inForce: number }) {
  return { total, inForce, summary: `${inForce}/${total}` };
}

function isWellSoFar({ conditions = [] }: ConditionedStatus): boolean {
  return conditions.every(({ type, status }) => type === "InForce" || status === "True");
}

function withoutNumbers({ proxies: _, conditions = [], ...rest }: ConditionedStatus = {}): string {
  const short = conditions.map(({ type, status, reason, message }) => [
    type,
    status,
    reason,
    type === "InForce" ? "" : message,
  ]);
  return JSON.stringify(sorted({ ...rest, short }));
}

/** The API server gives fields back in an order of its own. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, sorted(one)]);
}
