// Answers that a route server should not give: none of them is served, each trouble is told once, and the table gets well by itself.
import { beforeEach, describe, expect, test } from "vitest";
import { MAX_ANSWER, PAGE_AT_HASH, PAGE_AT_RULES, PAGE_FIXED } from "../../routes/model/feed.ts";
import { u64 } from "../../routes/model/u64.ts";
import { pageHash } from "../../routes/table/page.ts";
import type { Response } from "./emulator/process.ts";
import { CLUSTER, goesTo, keys, type Live, liveProxy, serve } from "./live.ts";

const WORKERS = [0, 1];
let live: Live;

beforeEach(() => {
  live = liveProxy();
  const { envoy, server } = live;
  for (const name of ["to", "new"]) envoy.process.clusters.set(name, true);
  server.apply(keys(60, () => "to"));
  envoy.run(1000);
});

const everywhere = (key: string) => WORKERS.map((worker) => goesTo(live.filter, key, worker));
const errors = () => live.envoy.process.lines("error");
const change = () => live.server.apply({ "id-1": { from: "reviews", key: "key-1", to: "new" } });

/** From now on the server's answers are these, for `ms` milliseconds. */
function answerWith(spoil: (body: Uint8Array) => Response, ms: number): void {
  const { envoy, server } = live;
  envoy.process.services.set(CLUSTER, (call, waited) => {
    const response = server.answer(call, waited);
    return response && response !== "reset" ? spoil(response.body ?? new Uint8Array()) : response;
  });
  envoy.run(ms);
}

/** The old table still serves, one line tells of the trouble; then the server is well again and its table comes into force. */
function assertSurvived(told: RegExp): void {
  expect(everywhere("key-1")).toEqual(["to", "to"]);
  expect(errors()).toEqual([expect.stringMatching(told)]);
  serve(live.envoy, live.server);
  live.envoy.run(12_000);
  expect(everywhere("key-1")).toEqual(["new", "new"]);
  expect(errors()).toHaveLength(1);
  expect(live.envoy.process.lines("warn")).toEqual([
    expect.stringMatching(
      /^keyway: table: in order again, at revision 3 of cluster "keyway" \(keyway\/v1\/table\), after \d+ failures?$/,
    ),
  ]);
}

const serving = /; the table of revision 2, last confirmed \d+ s ago, goes on serving; /;
const body = (bytes: Uint8Array): Response => ({ status: 200, body: bytes });

test("a page that is cut off at any byte, also between two of its records", () => {
  live.server.apply({ ...keys(60, () => "to"), "id-1": { from: "reviews", key: "key-1", to: "new" } });
  const page = live.server.page({
    path: "",
    scope: "",
    headers: {},
    revision: 2,
    history: hex(),
    digest: null,
    next: 0,
    wait: 0,
  });
  let at = 0;
  answerWith((own) => body(own.subarray(0, at++)), 250);
  const length = page?.length ?? 0;
  while (at < length) {
    live.envoy.run(5000, 5000);
    expect(everywhere("key-1")).toEqual(["to", "to"]);
  }
  assertSurvived(serving);
  expect(live.server.questions.filter(({ revision }) => revision === 0)).toHaveLength(1);
});

const hex = () => {
  const { lo, hi } = live.server.history;
  return hi.toString(16).padStart(8, "0") + lo.toString(16).padStart(8, "0");
};

test("a page with one bit turned, at any byte", () => {
  change();
  let at = 0;
  let length = 1;
  answerWith((own) => {
    length = own.length;
    const turned = Uint8Array.from(own);
    turned[at] = (turned[at] as number) ^ (1 << (at % 8));
    at++;
    return body(turned);
  }, 250);
  while (at < length) {
    live.envoy.run(5000, 5000);
    expect(everywhere("key-1")).toEqual(["to", "to"]);
  }
  assertSurvived(serving);
});

test.each<[string, (own: Uint8Array) => Response, RegExp]>([
  ["nothing", () => body(new Uint8Array()), /no page of a table of this layout/],
  ["a web page", () => body(Buffer.from(`<html>${"x".repeat(5000)}</html>`)), /no page of a table/],
  ["a flood", () => body(new Uint8Array(MAX_ANSWER + 1)), /an answer of more than 1048576 bytes/],
  ["a page with more behind it", (own) => body(Buffer.concat([own, Buffer.alloc(3)])), /a damaged page/],
  [
    "404",
    () => ({ status: 404 }),
    /an answer with status 404 .*see whether table.cluster, table.authority and table.path lead to a route server$/,
  ],
  [
    "401",
    () => ({ status: 401, body: Buffer.from('{"error":{"message":"unknown token"}}') }),
    /an answer with status 401 from cluster "keyway" \(keyway\/v1\/table\): \{.error.:\{.message.:.unknown token.\}\}; .*give table.token a token with the role proxy$/,
  ],
  ["403", () => ({ status: 403 }), /status 403 .*give table.token/],
  ["503", () => ({ status: 503 }), /status 503/],
  ["no answer", () => "reset", /no answer from cluster "keyway"/],
])("%s instead of a page", (_, spoil, told) => {
  change();
  answerWith(spoil, 20_000);
  assertSurvived(told);
  expect(live.envoy.process.counter("keyway_table_errors")).toBeGreaterThan(4);
  expect(live.envoy.process.counter("keyway_table_errors")).toBeLessThan(20);
});

describe("a call that can't be sent", () => {
  test.each([
    [
      "there is no such cluster",
      undefined,
      /this proxy has no cluster "keyway" .*add the cluster to the proxy, or mend table.cluster$/,
    ],
    ["no host is healthy", "unhealthy" as const, /no healthy host in cluster "keyway"/],
  ])("%s", (_, state, told) => {
    const { envoy } = live;
    change();
    envoy.process.services.set(CLUSTER, () => "reset");
    envoy.answer();
    envoy.process.logs.length = 0;
    if (state) envoy.process.clusters.set(CLUSTER, state);
    else envoy.process.clusters.delete(CLUSTER);
    // The call that was on its way has been told of, so a proxy that starts now shows the other one.
    const other = liveProxy({ routes: [{ from: "reviews", key: "key-1", to: "to" }] });
    other.envoy.process.clusters.set("to", true);
    if (state) other.envoy.process.clusters.set(CLUSTER, state);
    else other.envoy.process.clusters.delete(CLUSTER);
    other.envoy.run(5000);
    expect(goesTo(other.filter, "key-1")).toBe("to");
    expect(other.envoy.process.lines("error")).toEqual([expect.stringMatching(told)]);
    expect(other.envoy.process.lines("error")[0]).toContain("until a table is there the configuration's routes serve");
    envoy.run(5000);
    expect(everywhere("key-1")).toEqual(["to", "to"]);
  });
});

/** A page whose header was changed, with the hash that makes it whole again. */
function sealed(page: Uint8Array): Uint8Array {
  const view = new DataView(page.buffer);
  const start = PAGE_FIXED + view.getUint32(PAGE_AT_RULES, true);
  const { lo, hi } = pageHash(page, page.length - start, page.subarray(PAGE_FIXED, start));
  view.setUint32(PAGE_AT_HASH, lo, true);
  view.setUint32(PAGE_AT_HASH + 4, hi, true);
  return page;
}

test("a server that goes back is not followed, and its table is taken once it begins another history", () => {
  const { envoy, server } = live;
  change();
  answerWith((own) => {
    const old = Uint8Array.from(own);
    const view = new DataView(old.buffer);
    view.setBigUint64(24, 1n, true);
    return body(sealed(old));
  }, 3000);
  expect(errors()).toEqual([expect.stringMatching(/revision 1, older than the one before/)]);
  expect(everywhere("key-1")).toEqual(["to", "to"]);
  serve(envoy, server);
  server.restore({ id: { from: "reviews", key: "key-2", to: "new" } }, 2);
  envoy.run(10_000);
  expect([everywhere("key-1"), everywhere("key-2")]).toEqual([
    ["reviews", "reviews"],
    ["new", "new"],
  ]);
});

test("an older backup with another history is taken as a whole, also with fewer revisions", () => {
  const { envoy, server } = live;
  change();
  envoy.run(500);
  server.restore(
    keys(3, () => "to"),
    2,
    u64(9, 9),
  );
  let seen = 0;
  envoy.process.meanwhile = ({ vm }) => {
    if (vm.thread === "main") seen += everywhere("key-1").filter((to) => to === "new" || to === "to").length;
  };
  envoy.run(1000);
  envoy.process.meanwhile = undefined;
  expect(seen).toBeGreaterThan(20);
  expect([everywhere("key-1"), everywhere("key-9")]).toEqual([
    ["to", "to"],
    ["reviews", "reviews"],
  ]);
  expect(errors()).toEqual([]);
});

test("a backup with the very same routes changes nothing but the revision", () => {
  const { envoy, server } = live;
  const before = envoy.process.counter("keyway_table_changes");
  server.restore(Object.fromEntries(server.routes), 7, u64(9, 9));
  envoy.run(1000);
  expect(everywhere("key-1")).toEqual(["to", "to"]);
  change();
  envoy.run(500);
  expect(everywhere("key-1")).toEqual(["new", "new"]);
  expect(envoy.process.counter("keyway_table_changes")).toBe(before + 1);
  expect(errors()).toEqual([]);
});

test("a digest that is not that of the table is told, and the table is fetched anew while the old one serves", () => {
  const { envoy, server } = live;
  change();
  answerWith((own) => {
    const other = Uint8Array.from(own);
    const view = new DataView(other.buffer);
    view.setUint32(32, view.getUint32(32, true) ^ 1, true);
    return body(sealed(other));
  }, 5000);
  expect(errors()).toEqual([expect.stringMatching(/a table that does not add up to its digest/)]);
  serve(envoy, server);
  const asked = server.questions.length;
  envoy.run(12_000);
  expect(server.questions.slice(asked).some(({ revision, history }) => revision === 0 && history === null)).toBe(true);
  expect(everywhere("key-1")).toEqual(["new", "new"]);
});

test("a bucket that was spoiled in shared data is found by the next change, told, and fetched anew", () => {
  const { envoy } = live;
  for (const [name, { value }] of envoy.process.shared.entries)
    if (/:b/.test(name) && value.length > 40) value[value.length - 1] = (value.at(-1) as number) ^ 1;
  live.server.apply(Object.fromEntries(Object.entries(keys(60, () => "new"))));
  envoy.run(12_000);
  expect(errors()).toEqual([expect.stringMatching(/does not add up to its digest/)]);
  for (let i = 0; i < 60; i++) expect(everywhere(`key-${i}`)).toEqual(["new", "new"]);
});
