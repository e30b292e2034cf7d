import type { Service } from "../../routes/model/service.ts";

/** The Services of the cluster. */
export interface Services {
  find(name: string, namespace: string): Service | undefined;
  /** All of them, to find the nearest name. */
  values?(): Iterable<Service>;
  /** Whether a pod takes requests; undefined where nobody can say. */
  isReady?(name: string, namespace: string, port?: number | string): boolean | undefined;
  /** How many pods take requests; undefined where nobody can say. */
  endpoints?(name: string, namespace: string): number | undefined;
}
