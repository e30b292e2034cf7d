import type { EdgeKey } from "../model/edge.ts";
import type { Pairs } from "./scan.ts";

/** Whether a signature, in base64url, is that of a text by the key. */
export type Verify = (key: EdgeKey, text: string, signature: string) => boolean;

/** Why a text is no key at the edge: as the filter counts it, or as `accept` says. */
export type Refusal = "forged" | "expired" | "foreign" | "elsewhere" | "unsigned" | "any";

/** What a decision is made from. */
export interface DecisionInput {
  /** Names in any case, `:method`, `:path` and `:authority` among them; values in Latin-1, one character per byte. */
  headers: Pairs;
  /** The baseline; null where the proxy's own route gives none. */
  cluster: string | null;
  /** Seconds since 1970. */
  now: number;
  /** The caller's SPIFFE id, where mutual TLS proved one. */
  caller?: string | undefined;
  /** Targets known to be missing. */
  missing?: ReadonlySet<string>;
  /** The full names of the services behind a baseline whose cluster names none, as on the way into a workload. */
  services?: readonly string[];
  /** Verifies signed keys; without it none counts. */
  verify?: Verify;
  /** Told of each text that is no key at the edge, in the order in which they are met. */
  refused?: (why: Refusal) => void;
}
