// Where the routes are kept. A store is the only source of the routes in memory: whatever this server or another one writes comes
// back as a Change.

import type { LiveRoute, StoredRoute } from "../../routes/model/live-route.ts";
import { KeywayError } from "../../shared/errors.ts";
import type { Documents } from "./documents.ts";

/** What must hold of a route for a transaction to happen: one of the three. */
export interface Requirement {
  id: string;
  revision?: number;
  absent?: true;
  present?: true;
}

/** Happens as a whole or not at all. No id stands in it twice, requirements aside. */
export interface Transaction {
  /** Routes that were checked, with their fields in order (see inOrder), which the store keeps. One that is there already with the same
   * content keeps its revision. */
  set: LiveRoute[];
  /** Ids; those of no route are passed over. */
  delete: string[];
  require?: Requirement[];
}

/** What became of a route of a transaction's `set`. */
export interface Outcome {
  /** The route's revision now. */
  revision: number;
  created: boolean;
}

export interface Committed {
  /** The table's revision with this transaction; where nothing changed, the one it had. */
  revision: number;
  /** In the order of the transaction's `set`. */
  set: readonly Outcome[];
}

/** For name and namespace of a change that may be one of any service. */
export const ANY_SERVICE = "*";

/** A service of which something else is known now. */
export interface ServiceChange {
  name: string;
  namespace: string;
  /** Whether its ports are others, or it has come or gone; else it is ready now, or not any more. */
  isOfPorts: boolean;
}

/** One transaction that changed something, or several that another server made, as one. */
export interface Change {
  revision: number;
  set: StoredRoute[];
  /** Ids of routes that were there. */
  delete: string[];
  /** Where the store knows services: those of which it knows something else, from this revision on. */
  services?: readonly ServiceChange[];
}

export interface Loaded {
  /** The table's revision, at which the routes are what they are. */
  revision: number;
  routes: StoredRoute[];
  /** `changes` has all that happened after this revision, up to `revision`; equal to it where the store keeps no past. */
  since: number;
  /** In order. A route that changed several times may be there with the last change alone. */
  changes: Change[];
}

export interface Store {
  /** A random number of 64 bits for the past that revisions count. Another one, where a backup was restored. Known once started. */
  readonly history: bigint;
  /** To be followed once the store is started. */
  readonly documents: Documents;
  /**
   * Reads the routes, and once they are returned tells every further change, in order and once, until `signal` is aborted or the
   * store closed. Throws Unavailable or Damaged.
   */
  start(onChange: (change: Change) => void, signal: AbortSignal): Promise<Loaded>;
  /**
   * Durable when it resolves, and its change has been told by then. Throws Conflict, Managed, Unfit, Unavailable, Full or Damaged. Once `late` is
   * aborted, a store that has not begun to write the transaction gives it up, where it can, and throws Unavailable.
   */
  commit(transaction: Transaction, late?: AbortSignal): Promise<Committed>;
  /** Whether servers may give one state of the routes revisions that differ a little, as what happens comes to each in an order of its own. */
  readonly countsAlone?: boolean;
  /** Whether the routes of one transaction are written one by one, so that some of them may be there where it fails or is late. */
  readonly writesOneByOne?: boolean;
  /** Whether the route with this id is made from something else, so that no transaction may name it. None is unless said. */
  isManaged?(id: string): boolean;
  /** Undefined while the store can be read and written, else what is wrong. */
  trouble(): KeywayError | undefined;
  /** What is being written may take this many milliseconds more, where another machine writes it; as long as it takes unless said. */
  close(limitMs?: number): Promise<void>;
}

/** A requirement of the transaction does not hold. */
export class Conflict extends KeywayError {
  override name = "Conflict";
  readonly id: string;

  constructor(id: string, what: string) {
    super(what, { where: id });
    this.id = id;
  }
}

/** A route of the transaction is made from something else, which is to be changed in its place. Nothing of the transaction is kept. */
export class Managed extends KeywayError {
  override name = "Managed";
}

/** The store can't be asked now; later it may. Nothing of the transaction is kept, unless it is Undecided. */
export class Unavailable extends KeywayError {
  override name = "Unavailable";
}

/** The store will not have this transaction as it is, now or later. Nothing of it is kept. */
export class Unfit extends KeywayError {
  override name = "Unfit";
}

/** The transaction has more routes than the store can take at one time. Nothing of it is kept. */
export class TooLarge extends Unfit {
  override name = "TooLarge";
}

/** There is no room to write. Reading goes on. */
export class Full extends KeywayError {
  override name = "Full";
}

/** What is stored can't be read any more. */
export class Damaged extends KeywayError {
  override name = "Damaged";
}

/** What has become of the transaction is not known, or a part of it is written: the message says what there may be. */
export class Undecided extends Unavailable {
  override name = "Undecided";
}
