// What strangers can cost a proxy at the edge.
import { randomBytes, randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { ecdsa, hmac, type Signer, signed } from "./edge-keys.ts";
import type { Pairs } from "./emulator/headers.ts";
import { proxyWith } from "./module.ts";

const REQUESTS = 50_000;
const TEXTS = 20;
const [ours, secret] = [ecdsa("ec"), hmac("hm")];
const keys = [ours.entry, secret.entry];
const sources = ["header:x-routing-key", "baggage:k", "cookie:k", "query:k", "tracestate:k"];
const routes = [{ from: "*", key: "pr-1", to: "target" }];

function gateway(edge: object = { accept: "signed", keys }) {
  const made = proxyWith({ keys: sources, routes, edge });
  made.envoy.process.clusters.set("target", true);
  return made;
}

const good = [signed(ours, "pr-1"), signed(secret, "pr-1", { services: "reviews" })];
const theirs = [
  signed({ ...ecdsa(), entry: ours.entry } as Signer, "pr-1"),
  signed({ ...hmac(), entry: secret.entry } as Signer, "pr-1"),
];
const pick = <One>(list: readonly One[]) => list[randomInt(list.length)] as One;
const ODD = ["~", "~~~~", "%", "%00", "+", ";", ",", "=", "\x7f", "\xff", "", "0".repeat(300)];

/** A text near a signed key, that is none of ours. */
function hostile(): string {
  const text = near(pick(good));
  return good.includes(text) ? hostile() : text;
}

function near(text: string): string {
  const at = randomInt(text.length - 1);
  const kind = randomInt(12);
  if (kind < 5) return text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
  if (kind === 5) return text.slice(0, at);
  if (kind === 6) return text.slice(0, at) + pick(ODD) + text.slice(at + 1);
  if (kind === 7) return `pr-1~4102444800~~hm~${randomBytes(randomInt(1, 48)).toString("base64url")}`;
  if (kind === 8) return `${"~".repeat(randomInt(1, 1100))}${text}`;
  if (kind === 9) return `pr-1~${"9".repeat(randomInt(1, 30))}~${"+".repeat(randomInt(900))}~ec~AAAA`;
  return kind === 10
    ? pick(theirs)
    : randomBytes(randomInt(60))
        .toString("latin1")
        .replaceAll(/[\0\r\n]/g, "x");
}

test("a million hostile signed keys: none counts, none goes on, nothing traps, nothing grows", () => {
  const { envoy, filter } = gateway();
  const texts = () => Array.from({ length: TEXTS }, hostile);
  let bytes = 0;
  for (let n = 0; n < REQUESTS; n++) {
    const list = texts();
    const headers: Pairs = [
      ["x-routing-key", list.slice(0, 12).join(",")],
      ["baggage", `a=1,k=${list[12]},k=${encodeURIComponent(list[13] ?? "")}`],
      ["cookie", `k=${list[14]}; k="${list[15]}"; a=1`],
      [":path", `/?k=${list[16]}&k=${list[17]}`],
      ["tracestate", `k=${list[18]},k=${list[19]}`],
    ];
    const passed = filter.request({ headers });
    if (passed.cluster !== "reviews") throw new Error(`routed by one of ${JSON.stringify(list)}`);
    if (n === 1000) bytes = envoy.wasmBytes;
  }
  expect(envoy.wasmBytes).toBe(bytes);
  const { size } = envoy.process.shared;
  for (const token of good) expect(filter.request({ headers: { "x-routing-key": token } }).cluster).toBe("target");
  expect([envoy.process.shared.size, envoy.process.lines("error")]).toEqual([size, []]);
}, 120_000);

test("one request has at most four bad signatures looked at, and good ones that are known count behind them", () => {
  const { envoy, filter } = gateway();
  const calls = (headers: Pairs) => {
    let verified = 0;
    envoy.process.fault = ({ name }) => {
      if (name === "proxy_call_foreign_function") verified++;
    };
    const { cluster } = filter.request({ headers });
    envoy.process.fault = undefined;
    return [cluster, verified];
  };
  const known = good[0] as string;
  expect(calls([["x-routing-key", known]])).toEqual(["target", 1]);
  const flood = Array.from(
    { length: 500 },
    (_, n) => `pr-1~4102444800~~ec~${Buffer.from(`forged ${n}`).toString("base64url")}`,
  );
  expect(calls([["x-routing-key", flood.join(",")]])).toEqual(["reviews", 4]);
  expect(calls([["x-routing-key", [...flood, known].join(",")]])).toEqual(["target", 4]);
});

test("the requests of a page cost one verification together, and a key that is taken out of the configuration none", () => {
  const { envoy, filter } = gateway();
  let verified = 0;
  envoy.process.fault = ({ name }) => {
    if (name === "proxy_call_foreign_function") verified++;
  };
  const ask = (token: string) => filter.request({ headers: { "x-routing-key": token, cookie: `k=${token}` } }).cluster;
  for (let n = 0; n < 50; n++) expect(ask(good[0] as string)).toBe("target");
  expect(verified).toBe(1);
  envoy.process.fault = undefined;
  filter.configure({ keys: sources, routes, edge: { accept: "signed", keys: [secret.entry] } });
  expect(ask(good[0] as string)).toBe("reviews");
  filter.configure({ keys: sources, routes, edge: { accept: "signed", keys: [ecdsa("ec").entry] } });
  expect(ask(good[0] as string)).toBe("reviews");
});

test("a proxy without the host's function takes no key by a public key, and still those by a secret", () => {
  const { envoy, filter } = gateway();
  envoy.process.fault = ({ name }) => (name === "proxy_call_foreign_function" ? 1 : undefined);
  const ask = (token?: string) => filter.request({ headers: { "x-routing-key": token ?? "" } }).cluster;
  expect([ask(good[0]), ask(good[1])]).toEqual(["reviews", "target"]);
});

test("an edge costs a request without anything to take off one read of its headers", () => {
  const { envoy, filter } = proxyWith({ routes, edge: { accept: "signed", keys } });
  filter.request();
  const made: string[] = [];
  envoy.process.fault = ({ name }) => void made.push(name.replace("proxy_", ""));
  filter.request({ headers: { accept: "text/html" } });
  expect(made).toEqual(["get_header_map_value", "get_header_map_pairs", "increment_metric"]);
});

test("whatever call of the host fails, no plain and no forged key counts, and nothing traps", () => {
  const headers: Pairs = [
    ["x-routing-key", `pr-1, ${theirs[0]}`],
    ["baggage", "a=1,k=pr-1"],
    ["cookie", "k=pr-1"],
    [":path", "/?k=pr-1"],
    ["tracestate", `k=${theirs[1]}`],
    ["x-keyway-routed", "target"],
    ["b3", "1-2"],
  ];
  for (const unwrap of [false, true]) {
    const { envoy, filter } = gateway({ accept: "signed", keys, unwrap });
    let calls = 0;
    envoy.process.fault = () => void calls++;
    filter.request({ headers });
    expect(calls).toBeGreaterThan(20);
    for (const code of [1, 10]) {
      for (let failing = 0; failing < calls + 5; failing++) {
        let at = 0;
        envoy.process.fault = () => (at++ === failing ? code : undefined);
        expect([failing, filter.request({ headers }).cluster]).toEqual([failing, "reviews"]);
        at = 0;
        envoy.process.fault = () => (at++ >= failing ? code : undefined);
        expect([failing, filter.request({ headers }).cluster]).toEqual([failing, "reviews"]);
      }
    }
  }
});
