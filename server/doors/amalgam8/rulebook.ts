// The rules of each namespace, as clients have sent them: one document each, so that a change of several rules is made as a whole.
import type { DocumentChange, Documents } from "../../store/documents.ts";
import { Unavailable } from "../../store/store.ts";
import { A8Error } from "./errors.ts";
import type { Rule } from "./rule.ts";

const RULES = "amalgam8/rules/";
/** Bytes of a namespace's rules; etcd takes no document that is much larger. */
const MOST_BYTES = 768 * 1024;
const TRIES = 20;

export interface StoredRule {
  rule: Rule;
  /** Whether it came in a way that only 0.x has. */
  isOld?: true;
}

export interface RuleSet {
  /** Counts the changes of the namespace's rules. */
  revision: number;
  rules: StoredRule[];
}

const NONE: RuleSet = { revision: 0, rules: [] };

export class Rulebook {
  readonly #documents: Documents;
  readonly #sets = new Map<string, { set: RuleSet; version: number }>();
  /** One change after the other. */
  #turn: Promise<void> = Promise.resolve();
  /** Called with a namespace whose rules have changed. */
  onChange: (namespace: string) => void = () => {};

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  get size(): number {
    let size = 0;
    for (const { set } of this.#sets.values()) size += set.rules.length;
    return size;
  }

  /** Those that have rules. */
  get namespaces(): string[] {
    return [...this.#sets.keys()];
  }

  of(namespace: string): RuleSet {
    return this.#sets.get(namespace)?.set ?? NONE;
  }

  take(changes: readonly DocumentChange[]): void {
    for (const { id, version, text } of changes) {
      if (!id.startsWith(RULES)) continue;
      const namespace = id.slice(RULES.length);
      if (text === undefined) this.#sets.delete(namespace);
      else this.#sets.set(namespace, { set: JSON.parse(text), version });
      this.onChange(namespace);
    }
  }

  /** Puts other rules in the place of a namespace's own. `change` is called again where another server was first, and may throw. */
  change(namespace: string, change: (rules: readonly StoredRule[]) => StoredRule[]): Promise<void> {
    const changed = this.#turn.then(() => this.#change(namespace, change));
    this.#turn = changed.catch(() => {});
    return changed;
  }

  async #change(namespace: string, change: (rules: readonly StoredRule[]) => StoredRule[]): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      const { set, version } = this.#sets.get(namespace) ?? { set: NONE, version: 0 };
      const next: RuleSet = { revision: set.revision + 1, rules: change(set.rules) };
      const text = JSON.stringify(next);
      if (Buffer.byteLength(text) > MOST_BYTES) {
        const message = `the rules of ${namespace} would be more than ${MOST_BYTES} bytes together; delete some first`;
        throw new A8Error(413, "error_too_many_rules", message);
      }
      const [written] = await this.#documents.write([{ id: RULES + namespace, text, version }]);
      if (written !== undefined) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Unavailable("others change the same rules all the time", { where: namespace, next: "send it again" });
  }
}
