// Whatever a client sends, the request takes the way that it takes without Keyway.
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Bootstrap, Listener } from "../../scripts/proxy/bootstrap.ts";
import { manager } from "../../scripts/proxy/bootstrap.ts";
import { type Bed, startBed } from "./bed/bed.ts";
import type { Ask, HeaderList } from "./bed/client.ts";

/** Room for what Envoy itself would refuse: 300 headers, 80 KiB of them, and underscores and the like in names. */
function roomy(bootstrap: Bootstrap): void {
  const [web] = bootstrap.static_resources.listeners as [Listener];
  Object.assign(manager(web), { common_http_protocol_options: { max_headers_count: 300 }, max_request_headers_kb: 80 });
}

let bed: Bed;
beforeAll(async () => {
  bed = await startBed({
    config: {
      keys: [
        "header:x-routing-key",
        "baggage:key",
        "tracestate:key",
        "cookie:key",
        "query:key",
        "host:.test",
        "overrides:x-over",
        "jwt:key",
      ],
      routes: [
        { from: "reviews", key: "pr-42", to: "pr-42" },
        { from: "reviews", key: "k".repeat(256), to: "longest" },
        {
          from: "reviews",
          when: [
            { cookie: "user", exact: "alice" },
            { query: "user", exact: "alice" },
          ],
          to: "alice",
        },
        { from: "ratings", split: [{ to: "pr-42", weight: 100 }], sticky: "cookie:session" },
      ],
    },
    targets: ["pr-42", "longest", "alice", "ratings"],
    change: roomy,
  });
});
afterAll(() => bed.stop());

const repeat = (count: number, name: string, value: (i: number) => string): HeaderList =>
  Array.from({ length: count }, (_, i) => [name, value(i)]);
const claims = (text: string) => `h.${Buffer.from(text).toString("base64url")}.s`;

const HARMLESS: Record<string, Ask> = {
  "an empty key": { headers: { "x-routing-key": "" } },
  "a key of blanks": { headers: { "x-routing-key": "   " } },
  "only commas": { headers: { "x-routing-key": ",,, ,,," } },
  "a key with a space": { headers: { "x-routing-key": "pr 42" } },
  "a key with a semicolon": { headers: { "x-routing-key": "pr-42;" } },
  "a key of 257 bytes": { headers: { "x-routing-key": "k".repeat(257) } },
  "a key of 20,000 bytes": { headers: { "x-routing-key": "k".repeat(20_000) } },
  "binary in the key": { headers: { "x-routing-key": "\xff\xfe\x80pr-42" } },
  "a tab in the key": { headers: { "x-routing-key": "pr\t42" } },
  "a thousand candidates": { headers: { "x-routing-key": Array.from({ length: 1000 }, (_, i) => `k${i}`).join(",") } },
  "the header a hundred times": { headers: repeat(100, "x-routing-key", (i) => `k${i}`) },
  "200 headers": { headers: repeat(200, "x-filler", (i) => `value ${i}`) },
  "200 header names": { headers: Array.from({ length: 200 }, (_, i) => [`x-filler-${i}`, "v"]) },
  "baggage without values": { headers: { baggage: "key,=,;;;,key=,=pr-42,key" } },
  "baggage with a broken escape": { headers: { baggage: "key=%,key=%2,key=%zz,key=%%%" } },
  "baggage with an escaped control byte": { headers: { baggage: "key=%00%0a%0d" } },
  "baggage of 30,000 bytes": { headers: { baggage: "a=b,".repeat(7500) } },
  "baggage that ends in an escape": { headers: { baggage: "key=pr-42%" } },
  "tracestate without values": { headers: { tracestate: "=,,key,key=,====" } },
  "a cookie without a value": { headers: { cookie: "key; key=; =; ;;; =pr-42" } },
  "a cookie that never closes its quotes": { headers: { cookie: 'key="pr-42' } },
  "cookies of 30,000 bytes": { headers: { cookie: "a=b; ".repeat(6000) } },
  "an escape cut off in the query": { path: "/?key=%" },
  "broken escapes in the query": { path: "/?key=%zz&key=%4&%6b%=&&&=&key" },
  "a query of 30,000 bytes": { path: `/?${"a=b&".repeat(7500)}` },
  "a query that is only a question mark": { path: "/?" },
  "a path with many question marks": { path: "/?key?key=?&key=?" },
  "an empty label before the suffix": { headers: { host: ".test" } },
  "a label that is no key": { headers: { host: "a,b.test" } },
  "an IPv6 authority": { headers: { host: "[::1]:8080" } },
  "a host of 200 labels": { headers: { host: `${"a.".repeat(200)}test` } },
  "overrides without versions": { headers: { "x-over": "reviews,reviews:,:,::,:pr-42,reviews" } },
  "a bearer token without a token": { headers: { authorization: "Bearer " } },
  "a bearer token of dots": { headers: { authorization: "Bearer ......" } },
  "a token whose payload is not base64": { headers: { authorization: "Bearer h.$$$.s" } },
  "a token whose payload is not JSON": { headers: { authorization: `Bearer ${claims("{key")}` } },
  "a token whose payload is a list": { headers: { authorization: `Bearer ${claims('["key","pr-42"]')}` } },
  "a token whose claim is an object": { headers: { authorization: `Bearer ${claims('{"key":{"key":"pr-42"}}')}` } },
  "a token that ends within a string": { headers: { authorization: `Bearer ${claims('{"key":"pr-42')}` } },
  "a token that ends within an escape": { headers: { authorization: `Bearer ${claims('{"key":"\\u00')}` } },
  "a token that is 5,000 deep": { headers: { authorization: `Bearer ${claims("[".repeat(5000))}` } },
  "a token of 40,000 bytes": { headers: { authorization: `Bearer ${claims(`{"a":"${"x".repeat(40_000)}"}`)}` } },
  "binary in every source": {
    path: "/?key=%ff%fe",
    headers: {
      baggage: "key=\xff",
      tracestate: "key=\xfe",
      cookie: "key=\xfd",
      "x-over": "reviews:\xfc",
      authorization: "Bearer \xfb",
    },
  },
  "a huge hop mark": { headers: { "x-keyway-routed": "m".repeat(20_000) } },
};

test.each(Object.entries(HARMLESS))("%s goes to the baseline", async (_, what) => {
  const { status, service } = await bed.ask(what);
  expect({ status, service }).toEqual({ status: 200, service: "reviews" });
});

const STILL_READ: Record<string, Ask> = {
  "after 199 other headers": { headers: [...repeat(199, "x-filler", (i) => `value ${i}`), ["x-routing-key", "pr-42"]] },
  "after a thousand other candidates": {
    headers: { "x-routing-key": `${Array.from({ length: 1000 }, (_, i) => `k${i}`).join(",")},pr-42` },
  },
  "after one that is too long": { headers: { "x-routing-key": `${"k".repeat(5000)},pr-42` } },
  "after binary": { headers: { "x-routing-key": "\xff\xfe,pr-42" } },
  "after malformed baggage": { headers: { baggage: "%%%,key,key=%zz,key=pr-42" } },
  "after malformed cookies": { headers: { cookie: "key; =; key=; key=pr-42" } },
};

test.each(Object.entries(STILL_READ))("a key is found %s", async (_, what) => {
  expect((await bed.ask(what)).service).toBe("pr-42");
});

test("a key may have 256 bytes", async () => {
  expect((await bed.keyed("k".repeat(256))).service).toBe("longest");
});

test.each(["\0", "\x01", "\x7f", "pr-42\0"])(
  "a control byte in a header (%j) gets Envoy's own answer, and Envoy stays up",
  async (byte) => {
    const socket = connect(bed.port, "127.0.0.1");
    socket.write(`GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-routing-key: ${byte}\r\n\r\n`, "latin1");
    const answer = Buffer.concat(await socket.toArray()).toString("latin1");
    expect(answer).toMatch(/^HTTP\/1\.1 (400|200) /);
    expect(answer).not.toContain("x-service: pr-42");
    expect((await bed.keyed("pr-42")).service).toBe("pr-42");
  },
);

test("a connection cut off within the headers leaves Envoy serving", async () => {
  const socket = connect(bed.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nhost: a\r\nx-routing-key: pr-4");
  await once(socket, "connect");
  socket.destroy();
  expect((await bed.keyed("pr-42")).service).toBe("pr-42");
});

test("nothing of all this made the filter trap or log an error", async () => {
  const wasm = bed.envoy.log.all.filter(
    (line) => /wasm|keyway:/.test(line) && /^\[(warning|error|critical)\]/.test(line),
  );
  expect(wasm).toEqual([]);
});
