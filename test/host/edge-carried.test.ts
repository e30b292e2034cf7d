// What becomes of a signed key on its way: given back by a trace, written in other forms, kept by a link, or left as a plain key.
import { describe, expect, test } from "vitest";
import { ecdsa, hmac, signed } from "./edge-keys.ts";
import { keys, liveProxy } from "./live.ts";
import { proxyWith } from "./module.ts";
import { decisionOf } from "./observe.ts";
import { enter, leave, workload } from "./workload.ts";

const ours = ecdsa("ours");
const edge = { accept: "any", keys: [ours.entry] };
const ID = { b3: `${"ab".repeat(16)}-${"1".repeat(16)}` };

describe("in a workload whose traces are remembered", () => {
  const leaving = (one: ReturnType<typeof workload>) => {
    const { headers, cluster } = one.outbound.request({ headers: ID, cluster: "next" });
    return [cluster, headers.find(([name]) => name === "x-routing-key")?.[1]];
  };

  test("a signed key comes back as it came, and counts for the service that it is meant for", () => {
    const one = workload({ edge });
    const token = signed(ours, "a", { services: "next" });
    // It is none for the workload that it comes to first.
    expect(decisionOf(enter(one, token, ID)).outcome).toBe("invalid_key");
    expect(leaving(one)).toEqual(["next-a", token]);
  });

  test("one for neither of the two goes through both", () => {
    const one = workload({ edge });
    const token = signed(ours, "a", { services: "ratings" });
    enter(one, token, ID);
    expect(leaving(one)).toEqual(["next", token]);
  });

  test("one that has expired meanwhile is gone", () => {
    const one = workload({ edge, trace: { seconds: 3600 } });
    const now = Number(one.envoy.process.clock / 1_000_000_000n);
    enter(one, signed(ours, "a", { expires: now + 60 }), ID);
    expect(leaving(one)[0]).toBe("next-a");
    one.envoy.process.advance(61_000);
    expect(leaving(one)).toEqual(["next", undefined]);
  });

  test("a plain key is taken beside it, and one that is forged is none", () => {
    const one = workload({ edge });
    enter(one, "b", ID);
    expect(leave(one, ID)).toBe("b");
    const forged = signed({ ...ecdsa(), entry: ours.entry } as typeof ours, "a");
    expect(decisionOf(enter(one, forged, ID)).outcome).toBe("invalid_key");
    expect(leaving(one)[0]).toBe("next");
  });

  test("the longest signed keys are remembered whole", () => {
    const one = workload({ edge });
    const services = `next+${"s".repeat(1024)}`;
    const over = signed(ours, "a", { services }).length - 1024;
    const token = signed(ours, "a", { services: services.slice(0, -over - 4) });
    expect(token.length).toBeGreaterThan(1000);
    enter(one, token, ID);
    expect(leaving(one)).toEqual(["next-a", token]);
  });
});

const ALL = ["header:x-routing-key", "baggage:k", "tracestate:k", "cookie:k"];
const FORMS = ["header:x-other", "baggage:o", "tracestate:o", "cookie:o"];
function pass(headers: Record<string, string>, config: object) {
  const { envoy, filter } = proxyWith({
    keys: [...ALL, "query:k"],
    routes: [{ from: "reviews", key: "pr-1", to: "target" }],
    ...config,
  });
  envoy.process.clusters.set("target", true);
  const passed = filter.request({ headers });
  return { ...passed, left: Object.fromEntries(passed.headers) };
}

test("a signed key leaves in the forms that are named as it came, and in those that can hold it", () => {
  const token = signed(ours, "pr-1");
  const { left, cluster } = pass({ cookie: `k=${token}` }, { edge, emit: FORMS });
  expect([cluster, left["x-other"], left.cookie]).toEqual(["target", token, `k=${token}; o=${token}`]);
  expect(decodeURIComponent(left.baggage ?? "")).toBe(`o=${token}`);
  expect(left.tracestate).toBe(`o=${token}`);
  const long = signed(ours, "pr-1", { services: `reviews+${"s".repeat(300)}` });
  expect(pass({ cookie: `k=${long}` }, { edge, emit: FORMS }).left.tracestate).toBeUndefined();
});

describe("unwrapped", () => {
  const strict = { accept: "signed", keys: [ours.entry], unwrap: true };
  const token = signed(ours, "pr-1");
  test.each<[string, Record<string, string>, Record<string, string>]>([
    ["a header", { "x-routing-key": `plain, ${token}` }, { "x-routing-key": "pr-1" }],
    ["baggage", { baggage: `a=1,k=${token};p=q` }, { baggage: "a=1,k=pr-1;p=q" }],
    ["tracestate", { tracestate: `k=${token},a=1` }, { tracestate: "k=pr-1,a=1" }],
    ["a cookie", { cookie: `a=1; k="${token}"` }, { cookie: "a=1; k=pr-1" }],
    ["the query", { ":path": `/a?k=${token}&b` }, { ":path": "/a?k=pr-1&b" }],
  ])("a signed key in %s becomes the plain key, and no other plain key counts", (_, headers, wanted) => {
    const { cluster, left } = pass(headers, { edge: strict });
    expect(cluster).toBe("target");
    expect(left).toMatchObject(wanted);
    const plain = JSON.parse(JSON.stringify(headers).replaceAll(token, "pr-1"));
    expect(pass(plain, { edge: strict }).cluster).toBe("reviews");
  });

  test.each<[string, string, string]>([
    ["x-routing-key", token, "pr-1"],
    ["baggage", `a=1,k=${token}`, "a=1,k=pr-1"],
    ["cookie", `k=${token}`, "k=pr-1"],
  ])("the plain key in %s is no stranger's where that is a form, too", (name, value, wanted) => {
    const { cluster, left } = pass({ [name]: value }, { edge: strict, emit: ALL });
    expect([cluster, left[name]]).toEqual(["target", wanted]);
  });

  test("one for another service is taken off, since nobody further on could tell", () => {
    const { left } = pass({ "x-routing-key": signed(ours, "pr-1", { services: "ratings" }) }, { edge: strict });
    expect(left["x-routing-key"]).toBeUndefined();
  });

  test("what can't be taken off counts only where it is signed", () => {
    const jwt = (k: string) => `Bearer e30.${Buffer.from(JSON.stringify({ k })).toString("base64url")}.s`;
    const config = { keys: ["jwt:k"], edge: strict, emit: ["header:x-other"] };
    expect(pass({ authorization: jwt("pr-1") }, config).cluster).toBe("reviews");
    const { cluster, left } = pass({ authorization: jwt(token) }, config);
    expect([cluster, left["x-other"]]).toEqual(["target", "pr-1"]);
  });
});

describe("a link", () => {
  const strict = { accept: "signed", keys: [ours.entry] };
  const cookieOf = (query: string, config: object) => {
    const { envoy, filter } = proxyWith({
      routes: [{ from: "reviews", key: "pr-1", to: "target" }],
      link: true,
      ...config,
    });
    envoy.process.clusters.set("target", true);
    const stream = filter.open({ headers: { ":path": `/?keyway=${query}` } });
    stream.end();
    const set = stream.exchange.state.get("keyway_link")?.toString() ?? "";
    const cookie = /^keyway=([^;]*)/.exec(set)?.[1];
    return { cookie, cluster: filter.request({ headers: { cookie: `keyway=${cookie}` } }).cluster, filter };
  };

  test.each([
    ["signed", strict],
    ["signed, and unwrapped", { ...strict, unwrap: true }],
    ["any", { accept: "any", keys: [ours.entry] }],
  ])("with a signed key sticks by it where the edge takes %s", (_, edge) => {
    const token = signed(ours, "pr-1", { services: "reviews" });
    expect(cookieOf(token, { edge })).toMatchObject({ cookie: token, cluster: "target" });
  });

  test("sticks signed where its parameter and its cookie are sources of plain keys, too", () => {
    const token = signed(ours, "pr-1");
    const config = { edge: { ...strict, unwrap: true }, keys: ["query:keyway", "cookie:keyway"] };
    expect(cookieOf(token, config)).toMatchObject({ cookie: token, cluster: "target" });
  });

  test("sticks, too, where its key is for services further on", () => {
    const token = signed(ours, "pr-1", { services: "ratings" });
    expect(cookieOf(token, { edge: strict })).toMatchObject({ cookie: token, cluster: "reviews" });
  });

  test.each<[string, string, object]>([
    ["a plain key", "pr-1", strict],
    ["a forged one", signed({ ...ecdsa(), entry: ours.entry } as typeof ours, "pr-1"), strict],
    ["one that has expired", signed(ours, "pr-1", { expires: 1 }), strict],
    ["any key", "pr-1", { accept: "none" }],
    [
      "a forged one where any key is taken",
      signed({ ...hmac("ours"), entry: ours.entry }, "pr-1"),
      { accept: "any", keys: [ours.entry] },
    ],
  ])("with %s sets nothing", (_, text, edge) => {
    expect(cookieOf(text, { edge }).cookie).toBeUndefined();
  });

  test("is taken off by an empty one", () => {
    expect(cookieOf("", { edge: strict }).cookie).toBe("");
  });
});

test("with a live table the edge stays what the configuration says, conditions and shares of the table included", () => {
  const { envoy, filter, server } = liveProxy({
    edge: { accept: "signed", keys: [ours.entry] },
    emit: ["header:x-other"],
  });
  for (const name of ["to-1", "by-condition"]) envoy.process.clusters.set(name, true);
  const when = { from: "reviews", when: [{ header: "x-user", exact: "alice" }], to: "by-condition" };
  server.apply({ ...keys(3), when });
  envoy.run(1000);
  for (const worker of [0, 1]) {
    const ask = (headers: Record<string, string>) => filter.request({ worker, headers }).cluster;
    expect(ask({ "x-routing-key": signed(ours, "key-1", { services: "reviews" }) })).toBe("to-1");
    expect(ask({ "x-routing-key": "key-1" })).toBe("reviews");
    expect(ask({ "x-routing-key": "key-1", "x-user": "alice" })).toBe("by-condition");
  }
  expect(envoy.process.lines("error")).toEqual([]);
});
