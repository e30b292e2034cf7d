import fc from "fast-check";
import { expect, test } from "vitest";
import type { ForkService } from "../../controller/plan/sandbox.ts";
import { SandboxTable, type TableChange } from "../../controller/plan/sandbox-table.ts";
import type { LiveRoute } from "../../routes/model/live-route.ts";
import type { SandboxResource, SandboxSpec } from "../../routes/model/sandbox.ts";
import { check } from "../property.ts";
import { fork, sandbox } from "./sandboxes.ts";

const NAMESPACES = ["demo", "shop"];
const NAMES = ["a", "b", "c", "d"];
const SERVICES = ["x", "y"];
const LABELS: Record<string, string>[] = [{}, { t: "1" }, { t: "2" }, { t: "1", u: "1" }];

const route = fc.record({ service: fc.constantFrom(...SERVICES), to: fc.constantFrom("p", "q") });
const spec: fc.Arbitrary<SandboxSpec> = fc.record(
  {
    key: fc.constantFrom("k", "l", "not a key"),
    routes: fc.array(route, { maxLength: 2 }),
    forks: fc
      .uniqueArray(fc.constantFrom(...SERVICES), { maxLength: 2 })
      .map((names) => names.map((name) => ({ workload: `Deployment/${name}` }))),
    include: fc.constantFrom(...LABELS.slice(1)).map((matchLabels) => ({ matchLabels })),
  },
  { requiredKeys: ["routes"] },
);
const place = { namespace: fc.constantFrom(...NAMESPACES), name: fc.constantFrom(...NAMES) };

type Step =
  | { do: "put"; resource: SandboxResource }
  | { do: "remove"; namespace: string; name: string }
  | { do: "putFork"; service: ForkService }
  | { do: "removeFork"; service: ForkService }
  | { do: "putRoute"; route: LiveRoute }
  | { do: "removeRoute"; route: LiveRoute };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        ...place,
        spec,
        labels: fc.constantFrom(...LABELS),
        hour: fc.integer({ min: 1, max: 3 }),
        isLeaving: fc.boolean(),
      })
      .map(({ namespace, name, spec, labels, hour, isLeaving }) => ({
        do: "put" as const,
        resource: sandbox(name, spec, {
          namespace,
          labels,
          creationTimestamp: `2030-01-01T0${hour}:00:00Z`,
          ...(isLeaving && hour === 3 && { deletionTimestamp: "2030-01-02T00:00:00Z" }),
        }),
      })),
  },
  fc.record({ do: fc.constant("remove" as const), ...place }),
  fc
    .record({
      do: fc.constantFrom("putFork" as const, "removeFork" as const),
      ...place,
      baseline: fc.constantFrom(...SERVICES),
    })
    .map(({ do: what, name, namespace, baseline }) => ({ do: what, service: fork(name, baseline, { namespace }) })),
  fc
    .record({
      do: fc.constantFrom("putRoute" as const, "removeRoute" as const),
      id: fc.constantFrom("r1", "r2"),
      key: fc.constantFrom("k", "a"),
      service: fc.constantFrom("x.demo", "y"),
    })
    .map(({ do: what, ...one }) => ({ do: what, route: { ...one, to: "z" } })),
);

/** What is there, by its name. */
class World {
  readonly sandboxes = new Map<string, SandboxResource>();
  readonly forks = new Map<string, ForkService>();
  readonly routes = new Map<string, LiveRoute>();

  take(one: Step): void {
    if (one.do === "put")
      this.sandboxes.set(`${one.resource.metadata.namespace}/${one.resource.metadata.name}`, one.resource);
    else if (one.do === "remove") this.sandboxes.delete(`${one.namespace}/${one.name}`);
    else if (one.do === "putFork" || one.do === "removeFork") {
      const id = `${one.service.metadata?.namespace}/${one.service.metadata?.name}`;
      if (one.do === "putFork") this.forks.set(id, one.service);
      else this.forks.delete(id);
    } else if (one.do === "putRoute") this.routes.set(one.route.id, one.route);
    else this.routes.delete(one.route.id);
  }
}

function apply(table: SandboxTable, one: Step): TableChange {
  if (one.do === "put") return table.putSandbox(one.resource);
  if (one.do === "remove") return table.removeSandbox(one.namespace, one.name);
  if (one.do === "putFork") return table.putFork(one.service);
  if (one.do === "removeFork")
    return table.removeFork(`${one.service.metadata?.namespace}`, `${one.service.metadata?.name}`);
  return one.do === "putRoute" ? table.putRoute(one.route) : table.removeRoute(one.route.id);
}

/** The routes as `KEY SERVICE TARGET`, worked out from everything at once by the plainest means. */
function reference({ sandboxes, forks, routes }: World): string[] {
  const alive = [...sandboxes.values()]
    .filter(({ metadata, spec: { key, routes: all = [] } }) => {
      const isClear = new Set(all.map(({ service }) => service)).size === all.length;
      return metadata.deletionTimestamp === undefined && key !== "not a key" && isClear;
    })
    .sort((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
  const own = (one: SandboxResource) => {
    const mine = new Map((one.spec.routes ?? []).map(({ service, to }) => [`${service}`, `${to}`]));
    for (const { workload } of one.spec.forks ?? []) {
      const service = workload.replace("Deployment/", "");
      const copy = `${service}-${one.metadata.name}`;
      if (!mine.has(service) && forks.has(`${one.metadata.namespace}/${copy}`)) mine.set(service, copy);
    }
    return mine;
  };
  const keyOf = ({ spec: { key }, metadata: { name } }: SandboxResource) => key ?? name;
  const holders = alive.filter((one) => alive.find((other) => keyOf(other) === keyOf(one)) === one);
  return holders.flatMap((one) => {
    const all = own(one);
    const { namespace } = one.metadata;
    const wanted = Object.entries(one.spec.include?.matchLabels ?? {});
    for (const other of wanted.length > 0 ? alive : []) {
      if (other === one || other.metadata.namespace !== namespace) continue;
      if (!wanted.every(([name, value]) => other.metadata.labels?.[name] === value)) continue;
      for (const [service, to] of own(other)) if (!all.has(service)) all.set(service, to);
    }
    return [...all].flatMap(([service, to]) => {
      const isTaken = [...routes.values()].some(
        ({ key, service: theirs }) => key === keyOf(one) && [service, `${service}.${namespace}`].includes(`${theirs}`),
      );
      return isTaken ? [] : [`${keyOf(one)} ${service}.${namespace} ${to}.${namespace}`];
    });
  });
}

const ageOf = ({ metadata }: SandboxResource) => `${metadata.creationTimestamp} ${metadata.namespace}/${metadata.name}`;

function verdicts(table: SandboxTable): Map<string, string> {
  const all = NAMESPACES.flatMap((namespace) => NAMES.map((name) => ({ namespace, name })));
  return new Map(
    all.map(({ namespace, name }) => [`${namespace}/${name}`, JSON.stringify(table.verdict(namespace, name) ?? null)]),
  );
}

test("whatever comes and goes in whatever order, the table is what the things that are there stand for", () => {
  check(
    [fc.array(step, { maxLength: 40 }), fc.infiniteStream(fc.nat())],
    (steps, random) => {
      const table = new SandboxTable();
      const world = new World();
      const live = new Map<string, LiveRoute>();
      for (const one of steps) {
        const before = verdicts(table);
        const change = apply(table, one);
        world.take(one);
        for (const id of change.delete) expect(live.delete(id)).toBe(true);
        for (const set of change.set) live.set(set.id, set);
        const told = new Set(change.verdicts);
        for (const [name, verdict] of verdicts(table)) if (verdict !== before.get(name)) expect(told).toContain(name);
      }
      const text = ({ key, service, to }: LiveRoute) => `${key} ${service} ${to}`;
      expect([...live.values()].map(text).sort()).toEqual(reference(world).sort());

      // The same things in another order make the same table.
      const again = new SandboxTable();
      const rest: Step[] = [
        ...[...world.sandboxes.values()].map((resource) => ({ do: "put" as const, resource })),
        ...[...world.forks.values()].map((service) => ({ do: "putFork" as const, service })),
        ...[...world.routes.values()].map((route) => ({ do: "putRoute" as const, route })),
      ];
      const shuffled = rest.map((one) => ({ one, at: random.next().value })).sort((a, b) => a.at - b.at);
      const anew = new Map<string, LiveRoute>();
      for (const { one } of shuffled) {
        const change = apply(again, one);
        for (const id of change.delete) anew.delete(id);
        for (const set of change.set) anew.set(set.id, set);
      }
      expect([...anew].sort(byName)).toEqual([...live].sort(byName));
      expect(verdicts(again)).toEqual(verdicts(table));
    },
    400,
  );
});

const byName = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1);
