// Rules of which the first that fits decides, as the routes of one service: keys where that changes nothing, else conditions in order.
import { isKey } from "../routes/model/key.ts";
import type { LiveRoute } from "../routes/model/live-route.ts";
import type { Condition, Reference, Share } from "../routes/model/model.ts";
import { formatPath, type Path } from "../routes/reading/diagnostic.ts";
import { conditionIdentity } from "../routes/reading/duplicates.ts";
import { slugOf } from "../shared/short-name.ts";
import type { Item } from "./documents.ts";
import type { Finding, FindingKind, Report } from "./report.ts";

/** Something that a rule demands: a condition, a key, or what can be taken for either. */
export interface Demand {
  condition?: Condition;
  key?: { source: string; value: string };
}

/** All of the demands have to hold; none takes every request. */
export interface Rule {
  /** Where it stands, if not in the item of all. */
  item?: Item;
  path: Path;
  /** The service's port that the rule is for; all of them unless said. */
  port?: number;
  demands: readonly Demand[];
  to: Reference | Share<Reference>[];
  /** Whether the target is the baseline itself, which needs no route where nothing stands behind it. */
  isBaseline?: boolean;
  /** Whether there is nothing behind the target: the rule has its place among the others, and no route. */
  isGone?: boolean;
}

export interface Ordered {
  item: Item;
  /** The baseline, without its port. */
  service: string;
  /** What ids begin with. */
  name: string;
  /** The id with a number, in place of the name's. */
  idOf?: (number: string) => string;
  rules: readonly Rule[];
  /** What becomes of a request that none of the rules takes, where it is none of the baseline: `was answered with 404`. */
  otherwise: string;
  /** Where the rules stand. */
  path: Path;
}

const DIGITS = 4;

export function addOrdered(report: Report, ordered: Ordered): void {
  const { item, service, rules, otherwise, path } = ordered;
  if (rules.length === 0) return;
  const sequence = new Sequence(report, ordered);
  for (const [at, rule] of rules.entries()) sequence.add(rule, at);
  if (sequence.isOpen) {
    const what = `a request that none of these rules takes ${otherwise}; now it goes to ${service}`;
    report.tell("widened", item, path, what);
  }
}

class Sequence {
  readonly #report: Report;
  readonly #ordered: Ordered;
  readonly #idOf: (at: number) => string;
  /** Routes with keys are looked at first, and with or without a port. */
  readonly #isOfOnePort: boolean;
  /** The one source of the service's keys: a key counts in whichever source it stands. */
  #source: string | undefined;
  /** What is a route with a key already. */
  readonly #taken = new Set<string>();
  #firstCondition: Rule | undefined;
  /** The rule that takes every request. */
  #last: Rule | undefined;

  constructor(report: Report, ordered: Ordered) {
    const { name, rules } = ordered;
    const width = Math.max(DIGITS, String(rules.length).length);
    const begin = slugOf(name).slice(0, MOST_NAME);
    this.#report = report;
    this.#ordered = ordered;
    const idOf = ordered.idOf ?? ((number) => `${begin}-${number}`);
    this.#idOf = (at) => idOf(String(at + 1).padStart(width, "0"));
    this.#isOfOnePort = new Set(rules.map(({ port }) => port)).size === 1;
  }

  /** Whether there are requests that none of the rules takes. */
  get isOpen(): boolean {
    return this.#last === undefined;
  }

  add(rule: Rule, at: number): void {
    const { demands, port, to } = rule;
    if (this.#last) {
      const message = `never reached: ${fieldOf(this.#last)} takes every request before it`;
      this.#tell("dropped", rule, message, { stands: true });
      return;
    }
    const keyed = demands.filter(isKeyed);
    const conditions = demands.flatMap(({ condition }) => condition ?? []);
    const [only] = keyed;
    if (only && keyed.length === 1 && !Array.isArray(to) && isKey(only.key.value) && this.#mayBeKey(rule, only)) {
      this.#addKey(rule, at, only, to);
    } else if (demands.length > conditions.length) {
      this.#tell("dropped", rule, "a key under conditions like these can't be carried over");
    } else if (conditions.length > 0) {
      this.#firstCondition ??= rule;
      this.#route(rule, { id: this.#idOf(at), when: conditions, ...(Array.isArray(to) ? { split: to } : { to }) });
    } else {
      if (port === undefined) this.#last = rule;
      const split = Array.isArray(to) ? to : [{ to, weight: 100 }];
      if (!rule.isBaseline) this.#route(rule, { id: this.#idOf(at), split });
    }
  }

  /** What can be nothing but a key becomes one even where that changes which rule goes first, which is told. */
  #mayBeKey(rule: Rule, { key, condition }: Keyed): boolean {
    const isAlone = this.#source === undefined || this.#source === key.source;
    if (this.#isOfOnePort && this.#firstCondition === undefined && isAlone) return true;
    if (condition !== undefined) return false;
    const before = this.#firstCondition ? fieldOf(this.#firstCondition) : "the rules before it";
    this.#tell("widened", rule, `a route with a key is looked at before ${before}, which came first`);
    return true;
  }

  #addKey(rule: Rule, at: number, own: Keyed, to: Reference): void {
    const { source, value } = own.key;
    this.#source ??= source;
    this.#report.source(source);
    const when = rule.demands.flatMap((one) => (one === own ? [] : (one.condition ?? [])));
    const identities = [[], when.map(conditionIdentity)].map((one) => JSON.stringify([rule.port, value, one]));
    if (identities.some((one) => this.#taken.has(one))) {
      this.#tell("dropped", rule, "never reached: a rule before it takes the same requests", { stands: true });
      return;
    }
    this.#taken.add(identities[1] ?? "");
    this.#route(rule, { ...(when.length > 0 && { id: this.#idOf(at), when }), key: value, to });
  }

  #route(
    { item = this.#ordered.item, path, port, isGone }: Rule,
    route: Omit<LiveRoute, "id"> & { id?: string },
  ): void {
    if (isGone) return;
    const { service } = this.#ordered;
    this.#report.add(item, path, { service: port === undefined ? service : `${service}:${port}`, ...route });
  }

  #tell(
    kind: FindingKind,
    { item = this.#ordered.item, path }: Rule,
    message: string,
    more?: Pick<Finding, "stands">,
  ): void {
    this.#report.tell(kind, item, path, message, more);
  }
}

/** Characters of an id before its number. */
const MOST_NAME = 200;

type Keyed = Demand & Required<Pick<Demand, "key">>;
const isKeyed = (demand: Demand): demand is Keyed => demand.key !== undefined;
const fieldOf = ({ path }: Rule) => formatPath(path);
