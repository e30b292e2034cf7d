// A configuration that can't be used: one line that names the place, and the last good table goes on serving.
import { request } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Listener } from "../../scripts/proxy/bootstrap.ts";
import { run, validate } from "../../scripts/proxy/run.ts";
import { type Bed, startBed } from "./bed/bed.ts";
import { bootstrap, type Configuration } from "./bed/bootstrap.ts";
import { Ecds } from "./bed/ecds.ts";
import { load } from "./bed/load.ts";
import { until } from "./bed/until.ts";

const GOOD = { routes: [{ from: "reviews", key: "pr-42", to: "pr-42" }] };
const route = (change: object) => ({ routes: [{ from: "reviews", key: "k", to: "t", ...change }] });
const unkeyed = (change: object) => ({ routes: [{ from: "reviews", to: "t", ...change }] });

/** Configurations, and how the error line must go on behind `keyway: config: `. */
const BAD: Record<string, [config: Configuration, told: string]> = {
  "cut off": ['{"routes": [', ""],
  "not JSON at all": ["keys: [header:x-routing-key]", ""],
  "something after its end": ["{} {}", ""],
  "a list": ["[]", ""],
  "a number": ["42", ""],
  "not UTF-8": [Buffer.from('{"routes":[{"from":"reviews","key":"k","to":"\xff\xfe"}]}', "latin1"), "byte 46: "],
  "not UTF-8 outside of any text": [Buffer.from([0x7b, 0xff, 0x7d]), ""],
  "100,000 brackets deep": ["[".repeat(100_000), ""],
  "100,000 deep where a route belongs": [`{"routes":[${'{"from":'.repeat(100_000)}`, "routes[0].from: "],
  "routes that are no list": [{ routes: {} }, "routes: "],
  "keys that are no list": [{ keys: "header:x" }, "keys: "],
  "explain that is no boolean": [{ explain: "yes" }, "explain: "],
  "a route that is no object": [{ routes: [5] }, "routes[0]: "],
  "a name that is a number": [route({ to: 5 }), "routes[0].to: "],
  "an unknown field": [{ rotues: [] }, 'unknown field "rotues"'],
  "an unknown field in a route": [route({ form: "x" }), 'routes[0]: unknown field "form"'],
  "an unknown field in a condition": [
    unkeyed({ when: [{ cookie: "a", exactly: "b" }] }),
    'routes[0].when[0]: unknown field "exactly"',
  ],
  "an unknown field in a share": [
    unkeyed({ to: undefined, split: [{ to: "a", weight: 1, wait: 2 }] }),
    'routes[0].split[0]: unknown field "wait"',
  ],
  "the same key twice": [{ routes: [...GOOD.routes, ...GOOD.routes] }, "routes[1]: "],
  "an empty from": [route({ from: "" }), "routes[0].from: "],
  "an empty to": [route({ to: "" }), "routes[0].to: "],
  "an empty key": [route({ key: "" }), "routes[0].key: "],
  "a key of 300 bytes": [route({ key: "k".repeat(300) }), "routes[0].key: "],
  "a key with a comma": [route({ key: "a,b" }), "routes[0].key: "],
  "no from": [{ routes: [{ key: "k", to: "t" }] }, "routes[0].from: "],
  "no to": [
    { routes: [...["a", "b", "c"].map((key) => ({ from: "x", key, to: "t" })), { from: "x", key: "d" }] },
    "routes[3].to: ",
  ],
  "neither key nor when nor split": [unkeyed({}), "routes[0]: "],
  "key and split together": [route({ to: undefined, split: [{ to: "t", weight: 1 }] }), "routes[0].split: "],
  "no condition": [unkeyed({ when: [] }), "routes[0].when: "],
  "a condition without a comparison": [unkeyed({ when: [{ cookie: "a" }] }), "routes[0].when[0]: "],
  "a condition with two comparisons": [
    unkeyed({ when: [{ cookie: "a", exact: "b", prefix: "c" }] }),
    "routes[0].when[0]: ",
  ],
  "shares over 100": [
    {
      routes: [
        {
          from: "x",
          split: [
            { to: "a", weight: 60 },
            { to: "b", weight: 41 },
          ],
        },
      ],
    },
    "routes[0].split: ",
  ],
  "a share below nothing": [
    { routes: [{ from: "x", split: [{ to: "a", weight: -1 }] }] },
    "routes[0].split[0].weight: ",
  ],
  "a bad date": [route({ expires: "2026-02-30T00:00:00Z" }), "routes[0].expires: "],
  "a date that is no date": [route({ expires: "soon" }), "routes[0].expires: "],
  "an unknown source": [{ keys: ["header:x", "headers:y"] }, "keys[1]: "],
  "a source without a name": [{ keys: ["header:"] }, "keys[0]: "],
  "an unknown sticky source": [
    { routes: [{ from: "x", split: [{ to: "a", weight: 1 }], sticky: "session" }] },
    "routes[0].sticky: ",
  ],
};

const KEYED = { headers: { "x-routing-key": "pr-42" } };
const ERROR = /keyway: config: (.*)$/;
const escaped = (text: string) => text.replaceAll(/[[\].]/g, "\\$&");

describe("in an update", () => {
  let bed: Bed;
  let ecds: Ecds;
  const take = (config: Configuration) => ecds.update(bed.envoy, config);
  const rejected = async () => (await bed.metrics()).keyway_config_rejected;
  const errors = () => bed.envoy.log.all.filter((line) => ERROR.test(line));

  beforeAll(async () => {
    bed = await startBed({
      config: GOOD,
      targets: ["pr-42", "t"],
      concurrency: 2,
      change: ({ static_resources }) => {
        ecds = new Ecds(static_resources.listeners[0] as Listener);
      },
    });
  });
  afterAll(async () => {
    await bed.stop();
    ecds.remove();
  });
  // Envoy passes over a configuration that is the one in force, so each of these has a number of its own.
  let turn = 0;
  afterEach(async () => {
    await take({ routes: [...GOOD.routes, { from: "nowhere", key: `turn-${turn++}`, to: "t" }] });
    await until("the good configuration", rejected, (value) => value === 0);
    // Where the one before is not gone yet, requests tell the filter which of the two is in force.
    await bed.everywhere(KEYED);
  });

  test.each(Object.entries(BAD))(
    "%s: one line names the place, the last good table serves",
    async (_, [config, told]) => {
      const before = errors().length;
      await take(config);
      await until("the gauge", rejected, (value) => value === 1);
      const answers = await Promise.all(Array.from({ length: 8 }, () => bed.keyed("pr-42")));
      expect(new Set(answers.map(({ service }) => service))).toEqual(new Set(["pr-42"]));
      expect((await bed.ask()).service).toBe("reviews");
      const lines = errors().slice(before);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^\[error\]/);
      expect(lines[0]).toMatch(new RegExp(`keyway: config: ${escaped(told)}.{0,200}$`));
    },
  );

  test("a missing name is told in the contract's words", async () => {
    const before = errors().length;
    await take(BAD["no to"]?.[0] ?? "");
    await until(
      "the line",
      async () => errors().length,
      (count) => count > before,
    );
    expect(errors().at(-1)).toMatch(/keyway: config: routes\[3\]\.to: required$/);
  });

  test("with strict, Envoy refuses it and keeps the old one", async () => {
    expect(await take({ ...route({ to: "" }), strict: true })).toBe("refused");
    expect(await bed.everywhere(KEYED)).toEqual(new Set(["pr-42"]));
  });

  test("50 MB of it: no request fails, and the last good table serves", async () => {
    const steady = load(bed.port, 2, { headers: { "x-routing-key": "pr-42" } });
    await take(`{"routes":[{"from":"${"x".repeat(50_000_000)}","key":"k"}]}`);
    await until("the gauge", rejected, (value) => value === 1);
    expect(await bed.everywhere(KEYED)).toEqual(new Set(["pr-42"]));
    const { failures, services } = await steady.stop();
    expect(failures).toEqual([]);
    expect(services).toEqual(new Set(["pr-42"]));
  });

  test("the last good table is the newest, when streams hold it and an older one", async () => {
    const held = [];
    for (const key of ["older", "newest"]) {
      await take(route({ key }));
      const headers = { "x-routing-key": key };
      expect(await bed.everywhere({ headers })).toEqual(new Set(["t"]));
      for (let i = 0; i < 8; i++) {
        const stream = request({ port: bed.port, method: "POST", headers, agent: false });
        stream.on("error", () => {}).write("the beginning of a body");
        held.push(stream);
      }
      await bed.everywhere({ headers });
    }
    await take("{");
    await until("the gauge", rejected, (value) => value === 1);
    const services = await bed.everywhere({ headers: { "x-routing-key": "newest" } });
    for (const stream of held) stream.destroy();
    expect(services).toEqual(new Set(["t"]));
  });

  test("the last good table is the one in force, not one that an old stream still holds", async () => {
    await take(GOOD);
    await take(route({ key: "other" }));
    const routed = async () => (await bed.metrics()).keyway_requests_routed ?? 0;
    const before = await routed();
    const held = request({ port: bed.port, method: "POST", headers: { "x-routing-key": "other" }, agent: false });
    held.on("error", () => {}).write("the beginning of a body");
    await until("the held request", routed, (count) => count > before);
    await take(GOOD);
    await take("{");
    await until("the gauge", rejected, (value) => value === 1);
    const services = await bed.everywhere(KEYED);
    held.destroy();
    expect(services).toEqual(new Set(["pr-42"]));
  });

  test("a good one after a bad one is in force", async () => {
    await take("{");
    await until("the gauge", rejected, (value) => value === 1);
    expect(await bed.everywhere(KEYED)).toEqual(new Set(["pr-42"]));
    await take(route({}));
    await until("the gauge", rejected, (value) => value === 0);
    expect(await bed.everywhere({ headers: { "x-routing-key": "k" } })).toEqual(new Set(["t"]));
    expect(await bed.everywhere(KEYED)).toEqual(new Set(["reviews"]));
  });
});

describe("at the start", () => {
  const ports = { reviews: 9 };

  test("the baseline serves, and the gauge and one line tell", async () => {
    const bed = await startBed({ config: BAD["no to"]?.[0] ?? "", concurrency: 2 });
    try {
      expect((await bed.keyed("a")).service).toBe("reviews");
      expect((await bed.metrics()).keyway_config_rejected).toBe(1);
      const lines = bed.envoy.log.all.filter((line) => ERROR.test(line));
      expect(lines.map((line) => ERROR.exec(line)?.[1])).toEqual(["routes[3].to: required"]);
    } finally {
      await bed.stop();
    }
  });

  test.each([
    ["before", { strict: true, ...route({ to: "" }) }],
    ["after", { ...route({ to: "" }), strict: true }],
  ])("strict, written %s the mistake, makes validation fail and Envoy refuse to start", async (_, config) => {
    const made = bootstrap({ config, ports });
    const { status, output } = await validate(made);
    expect(status).toBe(1);
    expect(output).toMatch(/keyway: config: routes\[0\]\.to: /);
    await expect(run(made)).rejects.toThrow(/keyway: config: routes\[0\]\.to: /);
  });

  test("without strict, validation passes", async () => {
    expect((await validate(bootstrap({ config: route({ to: "" }), ports }))).status).toBe(0);
  });

  test("strict, with nothing wrong, passes", async () => {
    expect((await validate(bootstrap({ config: { ...GOOD, strict: true }, ports }))).status).toBe(0);
  });
});
