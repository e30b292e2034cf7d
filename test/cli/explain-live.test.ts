// `route explain --live` against servers that answer as proxies do, or do not.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { runCli } from "./run.ts";

const DECISION = {
  outcome: "routed",
  key: "pr-42",
  source: "header:x-routing-key",
  from: "reviews",
  to: "reviews-pr-42",
  why: "a route for this key and baseline",
};

type Answer = (incoming: IncomingMessage, outgoing: ServerResponse) => void;
const running: (() => void)[] = [];
afterEach(() => {
  for (const stop of running.splice(0)) stop();
});

async function serve(answer: Answer) {
  const asked: { method?: string; url?: string; headers: string[] }[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = "", url = "", rawHeaders } = incoming;
    asked.push({ method, url, headers: rawHeaders });
    answer(incoming, outgoing);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  running.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const explaining =
  (decision: object = DECISION): Answer =>
  (_, outgoing) => {
    const body = JSON.stringify(decision);
    outgoing.setHeader("x-keyway-decision", body).setHeader("content-type", "application/json").end(body);
  };
const explain = (...args: string[]) => runCli(["route", "explain", ...args]);

describe("the question", () => {
  test("is the request as it is given, with the header that asks", async () => {
    const { url, asked } = await serve(explaining());
    const { code, out } = await explain(
      ...["--live", url, "-H", "x-routing-key: pr-42", "-H", "x-routing-key: pr-7", "-H", "cookie: näme=1"],
      ...["-H", "x-keyway-explain: 0", "POST https://shop.example.com/cart?a=1"],
    );
    expect(code).toBe(0);
    expect(out).toContain("reviews-pr-42");
    const [{ method, url: path, headers } = { headers: [] }] = asked;
    expect([method, path]).toEqual(["POST", "/cart?a=1"]);
    const pairs = headers.map((value, index) => (index % 2 ? "" : `${value}: ${headers[index + 1]}`)).filter(Boolean);
    expect(pairs).toEqual(
      expect.arrayContaining([
        "host: shop.example.com",
        "x-routing-key: pr-42",
        "x-routing-key: pr-7",
        "cookie: n\xc3\xa4me=1",
      ]),
    );
    expect(pairs.filter((pair) => pair.startsWith("x-keyway-explain"))).toEqual(["x-keyway-explain: 1"]);
  });

  test("is for the URL's own path when no request is given", async () => {
    const { url, asked } = await serve(explaining());
    await explain("--live", `${url}/reviews/1?k=v`, "-H", "x-routing-key: pr-42");
    expect(asked).toMatchObject([{ method: "GET", url: "/reviews/1?k=v" }]);
    expect(asked[0]?.headers).toContain(new URL(url).host);
  });
});

describe("the answer", () => {
  test("is printed as the proxy gives it", async () => {
    const more = { ...DECISION, revision: 7 };
    const { url } = await serve(explaining(more));
    const table = await explain("--live", url, "/");
    expect(table.out).toContain("outcome  routed\nkey      pr-42\n");
    expect(table.err).toBe(`√ ${url} has explained its decision\n`);
    expect(JSON.parse((await explain("--live", url, "/", "-o", "json")).out)).toEqual(more);
    expect((await explain("--live", url, "/", "-o", "yaml")).out).toContain("to: reviews-pr-42\n");
  });

  test("of several proxies is a list, in their order", async () => {
    const gateway = await serve(explaining({ ...DECISION, outcome: "baseline", to: null }));
    const sidecar = await serve(explaining());
    const run = await explain("--live", gateway.url, "--live", sidecar.url, "/", "-o", "json");
    expect(run.code).toBe(0);
    expect(JSON.parse(run.out)).toEqual([
      { proxy: gateway.url, ...DECISION, outcome: "baseline", to: null },
      { proxy: sidecar.url, ...DECISION },
    ]);
  });

  test("of one proxy is printed when another one says nothing, and the command fails", async () => {
    const mute = await serve((_, outgoing) => outgoing.setHeader("server", "envoy").end("hello"));
    const sidecar = await serve(explaining());
    const run = await explain("--live", mute.url, "--live", sidecar.url, "/", "-o", "json");
    expect(run.code).toBe(1);
    expect(JSON.parse(run.out)).toEqual([{ proxy: sidecar.url, ...DECISION }]);
    expect(run.err).toContain(`${mute.url} answered 200 (server: envoy) without an explanation`);
  });
});

describe("no explanation", () => {
  const claims = (body: string) => serve((_, outgoing) => outgoing.setHeader("x-keyway-decision", "x").end(body));

  test.each<[string, Answer, string]>([
    ["a service", (_, outgoing) => outgoing.end(JSON.stringify(DECISION)), "answered 200 without an explanation"],
    [
      "a proxy without a route",
      (_, outgoing) => outgoing.writeHead(404, { server: "envoy" }).end(),
      "404 (server: envoy)",
    ],
    ["a redirect", (_, outgoing) => outgoing.writeHead(302, { location: "/elsewhere" }).end(), "answered 302"],
  ])("%s", async (_, answer, message) => {
    const { url, asked } = await serve(answer);
    const { code, out, err } = await explain("--live", url, "/");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(message);
    expect(err).toContain("the request went on like any other");
    expect(err).toContain("next:  set `explain: true` beside that proxy's routes");
    expect(asked).toHaveLength(1);
  });

  test.each(["", "[]", "null", "{", '{"outcome":"routed"}', "x".repeat(100_000)])("%.20j", async (body) => {
    const { url } = await claims(body);
    expect(await explain("--live", url, "/")).toMatchObject({ code: 1, out: "" });
  });

  test("nobody there", async () => {
    const { url } = await serve(explaining());
    running.splice(0)[0]?.();
    const { code, err } = await explain("--live", url, "/");
    expect(code).toBe(1);
    expect(err).toContain(`can't ask ${url}: connect ECONNREFUSED`);
    expect(err).toContain("kubectl port-forward");
  });

  test.each<[string, Answer]>([
    ["a silent proxy", () => {}],
    ["one that stops in the middle", (_, outgoing) => void outgoing.setHeader("x-keyway-decision", "x").write("{")],
  ])("%s is given up in time", async (_, answer) => {
    const { url } = await serve(answer);
    const { code, err } = await explain("--live", url, "--timeout", "0.2", "/");
    expect(code).toBe(1);
    expect(err).toContain(`${url} did not answer within 0.2 s`);
  });

  test("Ctrl-C ends the waiting", async () => {
    const stop = new AbortController();
    const { url } = await serve(() => stop.abort());
    const run = await runCli(["route", "explain", "--live", url, "--timeout", "60", "/"], { signal: stop.signal });
    expect([run.code, run.err]).toEqual([130, "keyway: interrupted\n"]);
  });
});

describe("wrong usage", () => {
  test.each<[string, string[], string]>([
    ["no file and no proxy", ["/"], "by which routes?"],
    ["no request", ["-f", "routes.yaml"], "which request?"],
    ["no URL", ["--live", "localhost:8080", "/"], "expected http://HOST:PORT or https://HOST:PORT"],
    ["both", ["--live", "http://localhost", "-f", "routes.yaml", "/"], "cannot be used with option"],
    ["a caller that only a proxy can prove", ["--live", "http://a", "--caller", "spiffe://a/b"], "cannot be used with"],
    [
      "a caller of another form",
      ["-f", "routes.yaml", "--caller", "alice", "/"],
      "expected spiffe://TRUST-DOMAIN/PATH",
    ],
  ])("%s", async (_, args, message) => {
    const { code, err } = await explain(...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  test("a password in the URL is refused and not repeated", async () => {
    const { code, err } = await explain("--live", "http://me:hunter2@localhost:1", "/");
    expect(code).toBe(2);
    expect(err).not.toContain("hunter2");
  });
});

test("offline the caller is said by hand", async () => {
  const input = "routes: [{service: a, when: [{request: caller, suffix: /sa/shop}], to: b}]";
  const run = (...args: string[]) => runCli(["route", "explain", "-f", "-", "/", "-o", "json", ...args], { input });
  expect(JSON.parse((await run("--caller", "spiffe://cluster.local/ns/x/sa/shop")).out)).toMatchObject({ to: "b" });
  expect(JSON.parse((await run()).out)).toMatchObject({ outcome: "no_key", to: null });
});
