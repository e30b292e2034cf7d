// What a client that watches is told, whatever happens meanwhile, against a client that dies and is misled as Signadot's own does.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { StoredRoute } from "../../routes/model/live-route.ts";
import { type Filter, RuleTable } from "../../server/doors/signadot/rule-table.ts";
import { isSameRule, type Rule } from "../../server/doors/signadot/rules.ts";
import { type Operation, Watch } from "../../server/doors/signadot/watch.ts";
import { check } from "../property.ts";

const identity = ({ routingKey, baseline }: Rule) => `${routingKey} ${JSON.stringify(baseline)}`;

/** A client that takes no operation which Signadot's own would die of or never get over. */
class Client {
  readonly rules = new Map<string, Rule>();
  synced = 0;

  take(operation: Operation): void {
    if (operation.op === "SYNCED") this.synced++;
    else {
      const { op, rule } = operation;
      const there = this.rules.get(identity(rule));
      if (op !== "ADD" && this.synced === 0) throw new Error(`${op} before SYNCED`);
      if ((op === "ADD") !== (there === undefined))
        throw new Error(`${op} of ${there ? "a" : "no"} rule that is there`);
      if (op === "REPLACE" && there?.destinationSandbox.name !== rule.destinationSandbox.name) {
        throw new Error("REPLACE by another sandbox, which leaves the old one in the client's index");
      }
      if (op === "REPLACE" && isSameRule(there, rule)) throw new Error("REPLACE of nothing");
      if (op === "REMOVE") this.rules.delete(identity(rule));
      else this.rules.set(identity(rule), rule);
    }
  }
}

const names = ["a", "b", "c"];
const route = fc
  .record({
    id: fc.integer({ min: 0, max: 8 }),
    key: fc.constantFrom("k1", "k2"),
    name: fc.constantFrom(...names),
    port: fc.constantFrom(80, 81),
    to: fc.constantFrom("x", "y"),
    sandbox: fc.constantFrom("s1", "s2"),
  })
  .map(
    ({ id, key, name, port, to, sandbox }): StoredRoute => ({
      id: String(id),
      service: name,
      key,
      to,
      labels: { "keyway.dev/sandbox": sandbox },
      workload: { kind: "Deployment", namespace: "demo", name, port },
      revision: 1,
    }),
  );
const transaction = fc.record({
  set: fc.uniqueArray(route, { maxLength: 3, selector: ({ id }) => id }),
  delete: fc.uniqueArray(fc.integer({ min: 0, max: 8 }).map(String), { maxLength: 3 }),
});
type Transaction = { set: StoredRoute[]; delete: string[] };

const applied = ({ set, delete: gone }: Transaction) => ({
  set: set.map((after) => ({ before: undefined, after })),
  delete: gone.map((id) => ({ id }) as StoredRoute),
});

const filters: Filter[] = [
  {},
  { kind: "Deployment", namespace: "demo", name: "b" },
  { routingKey: "k1" },
  { sandbox: "s1" },
  { name: "a", sandbox: "s2" },
];
const surroundings = { domain: "cluster.local" };

test("a client has the table's rules once all has been told, however slowly it reads, and is never misled on the way", () => {
  const step = fc.oneof(
    { weight: 2, arbitrary: transaction.map((change) => ({ change })) },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 6 }).map((reads) => ({ reads })) },
  );
  check(
    [fc.array(route, { maxLength: 9 }), fc.array(step, { maxLength: 40 })],
    (first, steps) => {
      const table = new RuleTable(surroundings);
      table.load(first);
      const watched = filters.map((filter) => ({ filter, watch: new Watch(table, filter), client: new Client() }));
      table.onChange((changes) => {
        for (const { watch } of watched) watch.changed(changes);
      });
      const read = ({ watch, client }: (typeof watched)[number]) => {
        const operations = watch.next();
        for (const operation of operations ?? []) client.take(operation);
        return operations !== undefined;
      };
      for (const one of steps) {
        if ("change" in one) table.apply(applied(one.change));
        else for (let left = one.reads; left > 0; left--) for (const each of watched) read(each);
      }
      for (const one of watched) {
        while (read(one));
        expect(one.client.synced).toBe(1);
        expect([...one.client.rules.values()].sort(byIdentity)).toEqual([...table.rules(one.filter)].sort(byIdentity));
      }
    },
    500,
  );
});

const byIdentity = (one: Rule, other: Rule) => (identity(one) < identity(other) ? -1 : 1);

test("a table that was kept up to date is the one that is made anew, and tells exactly what has changed", () => {
  check(
    [fc.array(transaction, { maxLength: 20 })],
    (transactions) => {
      const table = new RuleTable(surroundings);
      const mirror = new Map<string, Rule>();
      table.onChange((changes) => {
        for (const { before, after } of changes) {
          const id = identity((before ?? after) as Rule);
          expect(mirror.get(id)).toBe(before);
          expect(isSameRule(before, after)).toBe(false);
          if (after) mirror.set(id, after);
          else mirror.delete(id);
        }
      });
      const routes = new Map<string, StoredRoute>();
      for (const one of transactions) {
        for (const id of one.delete) routes.delete(id);
        for (const set of one.set) routes.set(set.id, set);
        table.apply(applied(one));
      }
      const fresh = new RuleTable(surroundings);
      fresh.load(routes.values());
      const rules = [...table.rules({})];
      expect(rules).toEqual([...fresh.rules({})]);
      expect(rules).toHaveLength(table.size);
      expect([...mirror.values()].sort(byIdentity)).toEqual([...rules].sort(byIdentity));
      for (const filter of filters) {
        const fitting = rules.filter(({ baseline, routingKey, destinationSandbox }) => {
          const own = { ...baseline, routingKey, sandbox: destinationSandbox.name };
          return Object.entries(filter).every(([name, value]) => own[name as keyof typeof own] === value);
        });
        expect([...table.rules(filter)]).toEqual(fitting);
        for (const [at, rule] of fitting.entries()) {
          expect([...table.rules(filter, rule)]).toEqual(fitting.slice(at + 1));
        }
      }
    },
    100,
  );
});

test("routes that make no rule are counted by the reason, and no more once they are gone or do", () => {
  const table = new RuleTable(surroundings);
  const one = { id: "1", service: "a", key: "k", to: "b", revision: 1 };
  table.load([one, { ...one, id: "2", service: "*" }]);
  expect(Object.fromEntries(table.leftOut)).toEqual({ workload: 1, any_baseline: 1 });
  const workload = { kind: "Deployment", namespace: "demo", name: "a", port: 80 };
  table.apply(applied({ set: [{ ...one, workload }], delete: ["2"] }));
  expect(Object.fromEntries(table.leftOut)).toEqual({ workload: 0, any_baseline: 0 });
  expect(table.size).toBe(1);
});
