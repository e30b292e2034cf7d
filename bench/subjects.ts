// Everything that is measured side by side. A subject's name is its family, then the number of keys or the case, then its workers.
import { join } from "node:path";
import { rustModule } from "../scripts/parts/rust.ts";
import { BASELINE, TARGET } from "./lib/bootstrap.ts";
import { compile, modules, project } from "./lib/compile.ts";
import type { Subject } from "./lib/fleet.ts";
import { anyOf, lastOf, noKey, noRoute } from "./lib/load.ts";
import {
  emptyModule,
  headerRoutes,
  keyway,
  keywayConfiguration,
  lua,
  manyRoutes,
  matcherTree,
  noFilter,
  plainTable,
  throughTwins,
  wasm,
} from "./lib/sites.ts";

/** `keys` is the size of the table; `title` is what people read. */
export type Case = Subject & { title: string; family: string; keys: number };

export const PLAIN = "envoy";
export const NATIVE = "native-1";
const count = (keys: number): string => keys.toLocaleString("en");
const plural = (keys: number): string => (keys === 1 ? "key" : "keys");

const atBaseline = { goesTo: BASELINE, load: noKey } as const;
const routed = (keys: number) => ({ goesTo: TARGET, load: anyOf(keys) }) as const;

function native(keys: number): Case {
  const title = `Envoy's own header routes, ${count(keys)}${keys > 1 ? ", the last one" : ""}`;
  const site = headerRoutes(keys);
  return { name: `native-${keys}`, title, family: "native", keys, site, goesTo: TARGET, load: lastOf(keys) };
}

const matcher = (keys: number): Case => ({
  ...{
    name: `matcher-${keys}`,
    title: `Envoy's matcher tree, ${count(keys)} ${plural(keys)}`,
    family: "matcher",
    keys,
  },
  ...{ site: matcherTree(keys), ...routed(keys) },
});

/** The same filter without and with a key, at each size of its table. */
function filter(family: string, title: string, site: (keys: number) => Subject["site"], sizes: number[]): Case[] {
  return [
    { name: `${family}-nokey`, title: `${title}, no key`, family, keys: 1, site: site(1), ...atBaseline },
    ...sizes.map((keys) => ({
      ...{
        name: `${family}-${keys}`,
        title: `${title}, routed, ${count(keys)} ${plural(keys)}`,
        family,
        keys,
      },
      ...{ site: site(keys), ...routed(keys) },
    })),
  ];
}

const inTwo = (name: string): string => `${name}-2w`;

const withTwoWorkers = (one: Case): Case => ({
  ...one,
  ...{ name: inTwo(one.name), title: `${one.title}, 2 workers`, family: inTwo(one.family), workers: 2 },
});

/** The name of the subject that `one` is compared with: `base` with as many workers. */
export const baseOf = (base: string, one: Case): string => (one.workers === 2 ? inTwo(base) : base);

/** The subjects of these names, or whose names begin with a text that names none, and those that their ratios refer to. */
export function choose(all: Case[], beginnings: string[]): Case[] {
  const exact = new Set(all.map(({ name }) => name));
  const wanted = all.filter(({ name }) =>
    beginnings.some((text) => (exact.has(text) ? name === text : name.startsWith(text))),
  );
  const bases = wanted.flatMap((one) => [baseOf(PLAIN, one), baseOf(NATIVE, one)]);
  return all.filter((one) => wanted.includes(one) || bases.includes(one.name));
}

export async function cases(): Promise<Case[]> {
  const rust = await rustModule("rust-peer", join(project, "bench", "peers", "rust"));
  const sdk = compile("sdk", [
    "--runtime",
    "incremental",
    "--lib",
    "bench/peers/sdk/lib",
    "--use",
    "abort=abort_proc_exit",
  ]);
  const plain: Case = {
    name: PLAIN,
    title: "Envoy, no filter",
    family: "envoy",
    keys: 0,
    site: noFilter,
    ...atBaseline,
  };
  const floor: Case = {
    ...plain,
    name: "empty",
    title: "A module with one empty callback",
    site: emptyModule(compile("empty")),
  };
  const least: Case = {
    ...{ name: "select", title: "The least module that routes, one fixed target", family: "select", keys: 1 },
    ...{ site: throughTwins(compile("select")), ...routed(1) },
  };
  const ours = filter(
    "keyway",
    "Keyway",
    (keys) => keyway(modules, keywayConfiguration(keys)),
    [1, 1000, 10_000, 100_000],
  );
  const [noKeyCase, ...routedCases] = ours as [Case, ...Case[]];
  const unrouted: Case = { ...noKeyCase, name: "keyway-noroute", title: "Keyway, a key but no route", load: noRoute };
  const hundred = [false, true].map(
    (twins): Case => ({
      ...noKeyCase,
      name: twins ? "routes-100-twins" : "routes-100",
      title: `Keyway, no key, the last of 100 routes${twins ? " with twins" : ""}`,
      family: "routes",
      site: manyRoutes(noKeyCase.site, 100, twins),
    }),
  );
  const one = [
    plain,
    floor,
    least,
    ...[1, 100, 1000, 10_000].map(native),
    ...[1, 1000, 10_000].map(matcher),
    ...filter("lua", "Lua filter", lua, [1, 1000, 10_000]),
    ...filter("rust", "Rust filter", (keys) => wasm(rust, plainTable(keys)), [1, 1000, 10_000, 100_000]),
    {
      ...{
        name: "rust-asking-1",
        title: "Rust filter, routed, asking all that Keyway asks, 1 key",
        family: "rust-asking",
      },
      ...{ keys: 1, site: wasm(rust, plainTable(1, ` ${BASELINE}`)), ...routed(1) },
    },
    ...filter("sdk", "Stock SDK wrappers", () => wasm(sdk), [1]),
    noKeyCase,
    unrouted,
    ...hundred,
    ...routedCases,
  ];
  const again = [PLAIN, NATIVE, "keyway-nokey", "keyway-1", "keyway-100000"];
  return [...one, ...one.filter(({ name }) => again.includes(name)).map(withTwoWorkers)];
}
