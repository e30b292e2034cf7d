import { Interests } from "./interests.ts";
import { type QueueSettings, WorkQueue } from "./queue.ts";

/** Resources of one kind that wait to be looked after, each by its name, and by the services that it names. */
export class Line {
  readonly #queue: WorkQueue;
  readonly #interests = new Interests();

  constructor(settings: QueueSettings) {
    this.#queue = new WorkQueue(settings);
  }

  add(name: string, isNew = false): void {
    this.#queue.add(name, isNew);
  }

  /** The services by which the resource is to be looked after again, in place of those from before: `NAMESPACE/NAME`, or `NAME` for any
   * namespace. */
  follow(name: string, services: Iterable<string>): void {
    this.#interests.set(name, [...new Set(services)]);
  }

  serviceChanged(namespace: string, service: string): void {
    for (const name of this.#interests.of(`${namespace}/${service}`)) this.add(name);
    for (const name of this.#interests.of(service)) this.add(name);
  }

  /** The resource is no more. */
  forget(name: string): void {
    this.#queue.delete(name);
    this.#interests.set(name, []);
  }

  close(): Promise<void> {
    return this.#queue.close();
  }
}
