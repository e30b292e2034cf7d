// What one client that watches is told, in which order: ADD for every rule, one SYNCED, then whatever changes.

import { compareRules, type Filter, fits, type RuleChange, type RuleTable } from "./rule-table.ts";
import { isSameRule, type Rule } from "./rules.ts";

export type Operation = { op: "ADD" | "REMOVE" | "REPLACE"; rule: Rule } | { op: "SYNCED" };

/** The client asks at its own speed: what changes meanwhile is kept once for each rule, so that a slow one costs no more than that. */
export class Watch {
  readonly #table: RuleTable;
  readonly #filter: Filter;
  /** The last rule that was told before SYNCED. */
  #last: Rule | undefined;
  #remaining: Iterator<Rule, void> | undefined;
  /** Of the table, when `#remaining` was begun. */
  #version = 0;
  #isSynced = false;
  /** Rules that have changed since they were told, as they were told then. */
  readonly #changed = new Map<string, { rule: Rule; told: Rule | undefined }>();

  constructor(table: RuleTable, filter: Filter) {
    this.#table = table;
    this.#filter = filter;
  }

  /** Takes in what the table tells. What is still to be told for a first time will be told as it is by then. */
  changed(changes: readonly RuleChange[]): void {
    for (const { before, after } of changes) {
      const rule = before ?? after;
      if (rule === undefined || !(this.#fitting(before) || this.#fitting(after))) continue;
      const isTold = this.#isSynced || (this.#last !== undefined && compareRules(rule, this.#last) <= 0);
      const id = identityOf(rule);
      if (isTold && !this.#changed.has(id)) this.#changed.set(id, { rule, told: this.#fitting(before) });
    }
  }

  /** What is to be told next, at once: a rule that becomes one of another sandbox is two operations. Undefined when all has been told. */
  next(): Operation[] | undefined {
    if (!this.#isSynced) return [this.#nextOfAll()];
    for (const [id, { rule, told }] of this.#changed) {
      this.#changed.delete(id);
      const operations = difference(told, this.#fitting(this.#table.get(rule)));
      if (operations.length > 0) return operations;
    }
    return undefined;
  }

  #nextOfAll(): Operation {
    if (this.#remaining === undefined || this.#version !== this.#table.version) {
      this.#remaining = this.#table.rules(this.#filter, this.#last);
      this.#version = this.#table.version;
    }
    const { value: rule } = this.#remaining.next();
    if (rule) {
      this.#last = rule;
      return { op: "ADD", rule };
    }
    this.#isSynced = true;
    this.#remaining = undefined;
    return { op: "SYNCED" };
  }

  #fitting(rule: Rule | undefined): Rule | undefined {
    return rule && fits(rule, this.#filter) ? rule : undefined;
  }
}

/** Signadot's own client never forgets the old sandbox of a rule that is replaced by one with another, so that rule is removed first. */
function difference(told: Rule | undefined, now: Rule | undefined): Operation[] {
  if (isSameRule(told, now)) return [];
  if (told === undefined) return now ? [{ op: "ADD", rule: now }] : [];
  if (now === undefined) return [{ op: "REMOVE", rule: told }];
  if (told.destinationSandbox.name === now.destinationSandbox.name) return [{ op: "REPLACE", rule: now }];
  return [
    { op: "REMOVE", rule: told },
    { op: "ADD", rule: now },
  ];
}

function identityOf({ routingKey, baseline: { kind, namespace, name } }: Rule): string {
  return `${routingKey} ${kind}/${namespace}/${name}`;
}
