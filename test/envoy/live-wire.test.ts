// What becomes of requests when the answers of a route server are late, broken, cut off, or somebody else's.
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Bed } from "./bed/bed.ts";
import {
  cut,
  type Fault,
  Faulty,
  flipped,
  instead,
  pass,
  reset,
  shortened,
  silence,
  slowly,
  status,
} from "./bed/faulty.ts";
import { inForce, startLive, withKey } from "./bed/live.ts";
import { load } from "./bed/load.ts";
import { keyed, Routes } from "./bed/route-server.ts";
import { until } from "./bed/until.ts";

let routes: Routes;
let wire: Faulty;
let bed: Bed;
beforeAll(async () => {
  routes = await new Routes().start();
  wire = await new Faulty(routes.port).start();
  bed = await startLive({ servers: [wire.port], targets: ["a", "b"] });
  await routes.apply({
    set: [keyed("steady", "a"), ...Array.from({ length: 200 }, (_, index) => keyed(`other-${index}`, "a"))],
  });
  await inForce(bed, withKey("steady"), "a");
});
afterAll(async () => {
  await bed.stop();
  await wire.stop();
  await routes.stop();
});

async function underLoad(change: () => Promise<void>): Promise<void> {
  const steady = load(bed.port, 2, withKey("steady"));
  const plain = load(bed.port, 2, {});
  try {
    await change();
  } finally {
    wire.fault = pass;
    expect(await steady.stop()).toMatchObject({ services: new Set(["a"]), failures: [] });
    expect(await plain.stop()).toMatchObject({ services: new Set(["reviews"]), failures: [] });
  }
}

/** Counts the changes of `moving`, which goes to a at odd ones and to b at even ones. */
let round = 0;
const errors = async () => (await bed.metrics()).keyway_table_errors ?? 0;

/** The next answer, which brings a change, comes to grief; then the wire is in order, and the change arrives. */
async function surviving(fault: Fault): Promise<void> {
  const [to, before] = ++round % 2 ? ["a", "b"] : ["b", "a"];
  const failed = await errors();
  wire.fault = async (...args) => {
    wire.fault = pass;
    await fault(...args);
  };
  await routes.set(keyed("moving", to as string));
  await until("the fault is noticed", errors, (count) => count > failed);
  await inForce(bed, withKey("moving"), to as string, { before: [before as string, "reviews"] });
}

test.each<[string, Fault]>([
  ["a connection that breaks", reset],
  ["an error of the server", status(500)],
  ["another program's page", status(200, "<html>It works!</html>")],
  ["an empty answer", status(200, "")],
  ["noise", instead(Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) % 251)))],
  ["more than a proxy takes", instead(Buffer.alloc(30_000_000))],
])("%s", async (_, fault) => {
  await underLoad(() => surviving(fault));
});

test("an answer that comes a few bytes at a time", async () => {
  await underLoad(async () => {
    wire.fault = slowly(16, 2);
    await routes.set(keyed("slow", "b"));
    await inForce(bed, withKey("slow"), "b", { before: ["reviews"] });
  });
});

/** Bytes of a page that brings a change. */
async function pageLength(): Promise<number> {
  let length = 0;
  wire.fault = (bytes, response) => {
    length = bytes.length;
    response.end(bytes);
  };
  round++;
  const to = round % 2 ? "a" : "b";
  await routes.set(keyed("moving", to));
  await inForce(bed, withKey("moving"), to);
  return length;
}

test("a page that ends early, whole or with its connection", async () => {
  const page = await pageLength();
  const lengths = [0, 1, 4, 8, 31, 56, 63, 64, 65, 79, 80, 81, 83, page - 1];
  for (let length = 97; length < page - 1; length += 97) lengths.push(length);
  await underLoad(async () => {
    for (const length of lengths) await surviving(shortened(length));
    for (const length of [0, 64, page - 1]) await surviving(cut(length));
  });
});

test("a page of which one bit has changed on its way", async () => {
  const page = await pageLength();
  await underLoad(async () => {
    for (let offset = 0; offset < 64; offset += 5) await surviving(flipped(offset, offset % 8));
    for (let offset = 64; offset < page; offset += 67) await surviving(flipped(offset, offset % 8));
  });
});

test("answers to other questions: the same page again, and an older one", async () => {
  const kept: Buffer[] = [];
  wire.fault = (bytes, response) => {
    kept.push(bytes);
    response.end(bytes);
  };
  for (let step = 0; step < 3; step++) {
    const to = ++round % 2 ? "a" : "b";
    await routes.set(keyed("moving", to));
    await inForce(bed, withKey("moving"), to);
  }
  await underLoad(async () => {
    for (const old of kept.filter((bytes) => bytes.length > 64)) await surviving(instead(old));
  });
});

test("a server that answers at once, and always the same, isn't asked without a pause", async () => {
  await underLoad(async () => {
    for (const fault of [status(503), status(200, "{}"), reset]) {
      wire.fault = fault;
      wire.drop();
      const from = wire.answers;
      await sleep(3000);
      expect(wire.answers - from).toBeLessThan(20);
    }
    wire.fault = pass;
    await routes.set(keyed("after", "a"));
    await inForce(bed, withKey("after"), "a");
  });
});

test("hundreds of changes a second arrive, and the last ones are in force", async () => {
  await underLoad(async () => {
    const ends = Date.now() + 3000;
    let count = 0;
    while (Date.now() < ends) {
      const changes = Array.from({ length: 8 }, (_, index) =>
        routes.set(keyed(`flood-${index}`, ++count % 2 ? "a" : "b")),
      );
      await Promise.all(changes);
    }
    await routes.apply({ set: Array.from({ length: 8 }, (_, index) => keyed(`flood-${index}`, "b")) });
    for (let index = 0; index < 8; index++) await inForce(bed, withKey(`flood-${index}`), "b");
    expect(count).toBeGreaterThan(100);
  });
});

test("a proxy that is cut off serves what it had, and routes expire on time by themselves", async () => {
  const expires = new Date(Date.now() + 8000).toISOString();
  await routes.set(keyed("brief", "b", { expires }));
  await inForce(bed, withKey("brief"), "b");
  await underLoad(async () => {
    wire.fault = silence;
    wire.drop();
    await routes.set(keyed("unheard", "b"));
    await inForce(bed, withKey("brief"), "reviews", { before: ["b"] });
    expect(Date.now()).toBeGreaterThanOrEqual(Math.floor(Date.parse(expires) / 1000) * 1000);
    expect((await bed.keyed("unheard")).service).toBe("reviews");
    wire.fault = pass;
    wire.drop();
    await inForce(bed, withKey("unheard"), "b", { before: ["reviews"] });
  });
});

test("a proxy that was cut off for so long that nobody knows what it has gets all that happened, its own expiries too", async () => {
  const expires = new Date(Date.now() + 15_000).toISOString();
  const own = (n: number) => keyed(`cut-${n}`, "a");
  await routes.apply({
    set: [keyed("gone-meanwhile", "b", { expires }), ...Array.from({ length: 2000 }, (_, n) => own(n))],
  });
  await inForce(bed, withKey("gone-meanwhile"), "b");
  await inForce(bed, withKey("cut-1999"), "a");
  await underLoad(async () => {
    wire.fault = silence;
    wire.drop();
    const moved = Array.from({ length: 1000 }, (_, n) => keyed(`cut-${n}`, "b"));
    await routes.apply({ set: moved, delete: Array.from({ length: 500 }, (_, n) => `cut-${1000 + n}`) });
    for (let n = 0; n < 20; n++) await routes.set(keyed(`since-${n}`, "b"));
    // The server that knew what the proxy has is another process by now.
    await routes.server.stop();
    await routes.start();
    await routes.apply({ set: Array.from({ length: 3000 }, (_, n) => keyed(`many-${n}`, "b")) });
    await inForce(bed, withKey("gone-meanwhile"), "reviews", { before: ["b"] });
    expect((await bed.keyed("cut-0")).service).toBe("a");
    wire.fault = pass;
    wire.drop();
    await inForce(bed, withKey("many-2999"), "b", { before: ["reviews"] });
    for (const [key, service] of [
      ["cut-0", "b"],
      ["cut-999", "b"],
      ["cut-1000", "reviews"],
      ["cut-1999", "a"],
      ["since-19", "b"],
      ["gone-meanwhile", "reviews"],
    ]) {
      expect(`${key} at ${(await bed.keyed(`${key}`)).service}`).toBe(`${key} at ${service}`);
    }
  });
});

test("a snapshot of many pages that breaks in the middle, and whose server becomes another one in the middle, comes in the end", async () => {
  const set = Array.from({ length: 20_000 }, (_, index) => keyed(`snapshot-${index}`, index % 2 ? "a" : "b"));
  const [first, second] = await Promise.all([new Routes().start(), new Routes().start()]);
  const between = await new Faulty(first.port).start();
  await first.apply({ set: [keyed("steady", "a"), ...set] });
  await second.apply({ set: [keyed("steady", "a"), keyed("second", "b"), ...set] });
  let pages = 0;
  between.fault = async (bytes, response, asked) => {
    pages++;
    if (pages === 3) return cut(1000)(bytes, response, asked);
    if (pages === 5) return shortened(1000)(bytes, response, asked);
    if (pages === 6) between.upstream = second.port;
    return pass(bytes, response, asked);
  };
  const own = await startLive({
    servers: [between.port],
    targets: ["a", "b"],
    routes: [{ from: "reviews", key: "steady", to: "a" }],
  });
  try {
    const steady = load(own.port, 2, withKey("steady"));
    const partly = load(own.port, 2, withKey("snapshot-19999"));
    await inForce(own, withKey("second"), "b", { before: ["reviews"] });
    await inForce(own, withKey("snapshot-19999"), "a", { before: ["reviews"] });
    expect(await steady.stop()).toMatchObject({ services: new Set(["a"]), failures: [] });
    const { services, failures } = await partly.stop();
    expect([...services].sort()).toEqual(["a", "reviews"]);
    expect(failures).toEqual([]);
    expect(pages).toBeGreaterThan(10);
  } finally {
    await own.stop();
    await between.stop();
    await Promise.all([first.stop(), second.stop()]);
  }
});
