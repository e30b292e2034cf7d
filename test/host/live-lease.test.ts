// Who polls: one worker of the process, another one when that is gone, and never a VM in which a configuration is only tried.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LAYOUT } from "../../routes/model/feed.ts";
import { Slot } from "./emulator/slot.ts";
import { Code } from "./emulator/vm.ts";
import { CLUSTER, goesTo, keys, liveProxy, serve } from "./live.ts";
import { filterCode } from "./module.ts";
import { RouteServer } from "./route-server.ts";

function proxy(options: Parameters<typeof liveProxy>[0] = {}) {
  const live = liveProxy(options);
  for (const name of ["to", "new"]) live.envoy.process.clusters.set(name, true);
  live.server.apply(keys(30, () => "to"));
  live.envoy.run(1000);
  return live;
}

const changeOf = (server: RouteServer, to = "new") => server.apply({ "id-1": { from: "reviews", key: "key-1", to } });

test("of five VMs one polls, and the canary never", () => {
  const { envoy, filter } = liveProxy({ workers: 4 });
  expect(envoy.process.dispatched).toEqual([]);
  envoy.run(10_000);
  expect(envoy.process.calls).toHaveLength(1);
  filter.configure({ explain: true, table: { cluster: CLUSTER } });
  const asked = envoy.process.dispatched.length;
  envoy.run(1000);
  expect(envoy.process.calls).toHaveLength(1);
  expect(envoy.process.dispatched.length).toBe(asked + 1);
});

test("what is asked names scope, layout, revision, history and digest, and carries the token", () => {
  const table = { authority: "keyway.keyway-system", path: "/other?a=b", scope: "demo/réviews *", token: "s3cret" };
  const { envoy, server } = liveProxy({ table });
  server.apply(keys(1));
  envoy.run(500);
  const [first, last] = [server.questions[0], envoy.process.calls[0]?.headers];
  expect(first?.headers).toEqual({
    ":method": "GET",
    ":path": `/other?a=b&scope=demo%2Fr%C3%A9views%20%2A&layout=${LAYOUT}&revision=0&next=0&wait=0`,
    ":authority": "keyway.keyway-system",
    "user-agent": "keyway",
    authorization: "Bearer s3cret",
  });
  expect(first).toMatchObject({ scope: "demo/réviews *", revision: 0, history: null, digest: null, next: 0, wait: 0 });
  expect(Object.fromEntries(last ?? [])[":path"]).toMatch(
    new RegExp(
      `^/other\\?a=b&scope=[^&]*&layout=${LAYOUT}&revision=2&history=0000567800001234&digest=[0-9a-f]{16}&next=0&wait=20$`,
    ),
  );
  expect(JSON.stringify(envoy.process.logs)).not.toContain("s3cret");
});

test("when the worker that polls is gone another takes over within a second, and goes on where it stopped", () => {
  const { envoy, filter, server } = proxy({ workers: 3 });
  const [main] = envoy.threads;
  const owner = main?.vms.get(filterCode);
  if (!owner) throw new Error("the main thread has no VM");
  // Envoy ends VMs without a word.
  owner.gone = true;
  owner.contexts.clear();
  const asked = server.questions.length;
  changeOf(server);
  envoy.run(1000);
  for (const worker of [0, 1, 2]) expect(goesTo(filter, "key-1", worker)).toBe("new");
  expect(server.questions[asked]).toMatchObject({ revision: 2, next: 0 });
  expect(server.questions[asked]?.digest).not.toBeNull();
});

test("a worker that was held up in the middle of a page, while another took over, writes nothing any more", () => {
  for (let held = 1; ; held++) {
    const { envoy, filter, server } = proxy({ workers: 2 });
    server.apply(keys(30, () => "new"));
    let calls = 0;
    let late = false;
    envoy.process.meanwhile = ({ vm, name }) => {
      if (vm.thread !== "main" || !name.includes("shared_data") || late || ++calls !== held) return;
      late = true;
      // The rest of the process goes on for two seconds, in which the routes change again.
      server.apply(keys(30, () => "to"));
      for (let i = 0; i < 8; i++) {
        envoy.process.advance(250);
        for (const thread of envoy.threads.slice(1))
          for (const own of thread.vms.values())
            for (const context of [...own.contexts.values()])
              if (context.tickMs > 0) own.call("proxy_on_tick", context);
        while (envoy.answer());
      }
    };
    envoy.answer();
    envoy.process.meanwhile = undefined;
    if (!late) {
      expect(held).toBeGreaterThan(8);
      return;
    }
    for (const worker of [0, 1])
      for (let i = 0; i < 30; i++) expect(goesTo(filter, `key-${i}`, worker), `at call ${held}`).toBe("to");
    envoy.run(3000);
    changeOf(server);
    envoy.run(1000);
    expect(goesTo(filter, "key-1")).toBe("new");
    expect(envoy.process.lines("error")).toEqual([]);
  }
});

test("a clock that jumps by years changes neither the lease nor the age", () => {
  const { envoy, filter, server } = proxy();
  const asked = server.questions.length;
  for (const years of [5, -12, 9]) {
    envoy.process.clock += BigInt(years * 365 * 86400) * 1_000_000_000n;
    envoy.run(1000);
    expect(envoy.process.counter("keyway_table_age_seconds")).toBeLessThan(5);
  }
  expect(server.questions.length).toBe(asked);
  changeOf(server);
  envoy.run(250);
  expect(goesTo(filter, "key-1")).toBe("new");
});

test("the age grows while the server is away, and is that of the longest wait", () => {
  const { envoy, server } = proxy();
  envoy.process.services.set(CLUSTER, () => ({ status: 503 }));
  envoy.run(60_000);
  expect(envoy.process.counter("keyway_table_age_seconds")).toBeGreaterThan(50);
  serve(envoy, server);
  envoy.run(30_000);
  expect(envoy.process.counter("keyway_table_age_seconds")).toBeLessThan(21);
});

test("updates of the configuration while it polls lose neither the table nor a change", () => {
  const { envoy, filter, server } = proxy();
  for (let round = 0; round < 20; round++) {
    const stream = filter.open({ worker: round % 2 });
    filter.configure({ routes: [{ from: "reviews", key: `inline-${round}`, to: "to" }], table: { cluster: CLUSTER } });
    for (const worker of [0, 1]) expect(goesTo(filter, "key-2", worker)).toBe("to");
    changeOf(server, round % 2 ? "to" : "new");
    envoy.run(500);
    for (const worker of [0, 1]) expect(goesTo(filter, "key-1", worker)).toBe(round % 2 ? "to" : "new");
    stream.end();
  }
  expect(server.questions.filter(({ revision }) => revision === 0)).toHaveLength(1);
});

test("a configuration that is rejected goes on with the live table of the one before", () => {
  const { envoy, filter, server } = proxy();
  filter.configure('{"routes": 7}');
  expect(goesTo(filter, "key-1")).toBe("to");
  changeOf(server);
  envoy.run(1000);
  for (const worker of [0, 1]) expect(goesTo(filter, "key-1", worker)).toBe("new");
});

test("plugins with the same table share one, others have their own, and one without it keeps its routes", () => {
  const { envoy, filter, server } = proxy();
  const [same, other, plain] = [envoy.filter("inbound"), envoy.filter("outbound"), envoy.filter("plain")];
  const second = new RouteServer();
  second.apply(keys(30, () => "new"));
  envoy.process.clusters.set("second", true);
  envoy.process.services.set("second", (call, waited) => second.answer(call, waited));
  same.configure({ explain: true, table: { cluster: CLUSTER } });
  other.configure({ table: { cluster: "second" } });
  plain.configure({ routes: [{ from: "reviews", key: "key-1", to: "plain" }] });
  envoy.process.clusters.set("plain", true);
  envoy.run(1000);
  expect(envoy.process.calls).toHaveLength(2);
  const all = () => [filter, same, other, plain].flatMap((one) => [0, 1].map((worker) => goesTo(one, "key-1", worker)));
  expect(all()).toEqual(["to", "to", "to", "to", "new", "new", "plain", "plain"]);
  changeOf(server, "reviews-2");
  envoy.process.clusters.set("reviews-2", true);
  envoy.run(250);
  expect(all()).toEqual([...Array(4).fill("reviews-2"), "new", "new", "plain", "plain"]);
});

const again = () => new Code(readFileSync(new URL("../../build/keyway.wasm", import.meta.url)));

test("a new build with the same layout takes the table over without asking for it again", () => {
  const { envoy, filter, server } = proxy();
  const code = again();
  const next = new Slot(envoy, code, "keyway", "keyway", "inbound");
  next.configure({ table: { cluster: CLUSTER } });
  for (const worker of [0, 1]) expect(goesTo(next, "key-1", worker)).toBe("to");
  filter.remove();
  envoy.end(filterCode);
  envoy.run(1000);
  changeOf(server);
  envoy.run(250);
  for (const worker of [0, 1]) expect(goesTo(next, "key-1", worker)).toBe("new");
  expect(server.questions.filter(({ revision }) => revision === 0)).toHaveLength(1);
});
