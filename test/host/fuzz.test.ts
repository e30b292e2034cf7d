import fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "../property.ts";
import { Envoy } from "./emulator/envoy.ts";
import type { Pairs } from "./emulator/headers.ts";
import { configuration, request, targets } from "./generate.ts";
import { filterCode, proxyWith, watchCode } from "./module.ts";
import { assertConsistent } from "./observe.ts";

const MEBIBYTE = 1 << 20;

/** Changes a text in places: bytes replaced, dropped, doubled, the end cut off. */
const mutated = fc
  .tuple(
    configuration.map((own) => Buffer.from(JSON.stringify(own))),
    fc.array(
      fc.tuple(fc.constantFrom("set", "drop", "double", "cut", "quote"), fc.nat(), fc.integer({ min: 0, max: 255 })),
      { minLength: 1, maxLength: 6 },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((bytes, [edit, where, value]) => {
      const at = bytes.length === 0 ? 0 : where % bytes.length;
      const [front, back] = [bytes.subarray(0, at), bytes.subarray(at)];
      if (edit === "set") return Buffer.concat([front, Buffer.from([value]), back.subarray(1)]);
      if (edit === "drop") return Buffer.concat([front, back.subarray(1 + (value % 8))]);
      if (edit === "double") return Buffer.concat([front, back.subarray(0, value), back]);
      if (edit === "quote") return Buffer.concat([front, Buffer.from('"'), back]);
      return front;
    }, text),
  );

/** JSON of the right words in the wrong places. */
const words = fc.constantFrom(
  ..."keys routes explain strict from to key when split sticky expires header cookie query exact present weight hierarchy hopMark missing request not emit".split(
    " ",
  ),
);
const misplaced = fc
  .letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(
        null,
        true,
        false,
        0,
        1,
        -1,
        100,
        1e9,
        0.5,
        "",
        "a",
        "*",
        "header:h",
        "cookie:c",
        "signadot",
        ".",
        "route",
        "fail",
        "path",
        "2030-01-01T00:00:00Z",
      ),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(words, tie("value"), { maxKeys: 5, noNullPrototype: true }),
    ),
  }))
  .value.map((value) => Buffer.from(JSON.stringify(value)));

const texts = fc.oneof(mutated, misplaced, fc.uint8Array({ maxLength: 400 }).map(Buffer.from));

test("no configuration traps; a wrong one is one line, the last good one serves", () => {
  const counted = { taken: 0, refused: 0 };
  check(
    [texts, texts],
    (one, two) => {
      const { envoy, filter } = proxyWith({ routes: [{ from: "reviews", key: "k", to: "t" }] });
      envoy.process.clusters.set("t", true);
      for (const text of [one, two]) {
        const before = envoy.process.lines("error").length;
        filter.configure(text);
        const lines = envoy.process.lines("error").slice(before);
        expect(lines.length).toBeLessThanOrEqual(1);
        for (const line of lines) expect(line).toMatch(/^keyway: config: [ -~]{1,300}$/);
        counted[lines.length === 0 ? "taken" : "refused"]++;
        if (lines.length === 1 && text === one) {
          expect(filter.request({ headers: { "x-routing-key": "k" } }).cluster).toBe("t");
        }
        filter.request({ headers: { "x-routing-key": "a", cookie: "c=1" } });
      }
      expect(envoy.wasmBytes).toBeLessThan(4 * MEBIBYTE);
      expect(envoy.process.shared.size).toBeLessThan(MEBIBYTE);
    },
    800,
  );
  expect(counted.taken).toBeGreaterThan(50);
  expect(counted.refused).toBeGreaterThan(500);
});

test("every configuration cut off anywhere is told as such and publishes nothing", () => {
  const [table] = fc.sample(configuration, { seed: 7, numRuns: 1 });
  const text = Buffer.from(JSON.stringify({ ...table, keys: ["signadot"] }));
  const envoy = new Envoy(filterCode);
  const filter = envoy.filter();
  for (let length = 1; length < text.length; length++) {
    filter.configure(text.subarray(0, length));
    expect(envoy.process.lines("error")).toHaveLength(length);
    expect([...envoy.process.shared.entries.keys()].filter((key) => /keyway:[bh]/.test(key))).toEqual([]);
  }
});

const byte = fc.integer({ min: 0, max: 255 }).filter((own) => ![0, 10, 13].includes(own));
const anything = fc.array(byte, { maxLength: 300 }).map((own) => Buffer.from(own).toString("latin1"));
const names = fc.constantFrom(
  ..."x-routing-key x-other baggage tracestate cookie authorization x-override x-keyway-routed x-keyway-cluster".split(
    " ",
  ),
  ...["x-keyway-explain", "ot-baggage-sd-routing-key", "x-user"],
);
const pieces = fc.array(
  fc.constantFrom(
    "k",
    "=",
    ",",
    ";",
    ":",
    "%",
    "%2",
    "%00",
    '"',
    ".",
    " ",
    "\t",
    "pr-1",
    "a-b",
    "Bearer ",
    "e30",
    "&",
    "?",
    "\xff",
  ),
  { maxLength: 40 },
);
const value = fc.oneof(
  anything,
  pieces.map((own) => own.join("")),
);
const header = fc.oneof(
  fc.tuple(names, value),
  fc.tuple(fc.constantFrom(":path", ":authority"), value),
  fc.tuple(fc.stringMatching(/^[a-z0-9-]{1,30}$/), value),
);

test("no request traps, whatever its headers; none leaves traces in memory", () => {
  check(
    [
      configuration,
      fc.array(fc.array(header, { maxLength: 200 }), { minLength: 1, maxLength: 10 }),
      fc.array(request, { maxLength: 5 }),
    ],
    (table, wild, tame) => {
      const { envoy, filter } = proxyWith(table);
      for (const name of targets) envoy.process.clusters.set(name, true);
      const [bytes, shared] = [envoy.wasmBytes, envoy.process.shared.size];
      for (const headers of [...wild, ...tame.map((own) => own.headers)]) {
        const passed = filter.request({ headers, cluster: "reviews" });
        if (!passed.local) assertConsistent(headers, passed, "reviews");
        expect(passed.state ?? "").toMatch(/^[ -~]*$/);
      }
      expect(envoy.wasmBytes - bytes).toBeLessThanOrEqual(MEBIBYTE);
      expect(envoy.process.shared.size).toBe(shared);
    },
    300,
  );
});

test("huge requests, too, cost memory once", () => {
  const { envoy, filter } = proxyWith({
    keys: ["header:x-routing-key", "cookie:k", "query:k", "jwt:k", "baggage:k"],
    routes: [{ from: "*", key: "k", to: "t" }],
  });
  const huge = (n: number): Pairs => [
    ["x-routing-key", "a".repeat(n)],
    ["cookie", "k=;".repeat(n / 3)],
    [":path", `/?${"k=%20&".repeat(n / 6)}`],
    ["authorization", `Bearer ${"e30.".repeat(n / 4)}`],
    ["baggage", "k=%,".repeat(n / 4)],
    ...Array.from({ length: 200 }, (_, i): [string, string] => [`h-${i}`, "x".repeat(100)]),
    ["x-routing-key", "b,".repeat(n / 2)],
  ];
  filter.request({ headers: huge(60_000) });
  const once = envoy.wasmBytes;
  for (let i = 0; i < 10; i++) expect(filter.request({ headers: huge(60_000) }).cluster).toBe("reviews");
  expect(envoy.wasmBytes).toBe(once);
  expect(once).toBeLessThan(8 * MEBIBYTE);
});

test("a large configuration that is wrong at its end is read through in bounded memory", () => {
  const envoy = new Envoy(filterCode, { watch: watchCode });
  const routes = Array.from({ length: 50_000 }, (_, i) => `{"from":"reviews","key":"k${i}","to":"t"}`).join(",\n");
  const text = `{"routes":[${routes},{"from":"reviews","key":"k7","to":"u"}]}`;
  expect(envoy.filter().configure(text)).toBe(true);
  expect(envoy.process.lines("error")).toEqual(["keyway: config: routes[50000]: same from and key as routes[7]"]);
  expect(envoy.wasmBytes).toBeLessThan(2 * envoy.threads.length * 4 * text.length);
  const garbage = Buffer.alloc(50 * MEBIBYTE, " ");
  garbage[garbage.length - 1] = 120;
  const before = envoy.wasmBytes;
  expect(envoy.filter().configure(garbage)).toBe(true);
  expect(envoy.wasmBytes).toBe(before);
});
