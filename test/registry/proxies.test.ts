// Proxies of the environment, with one in this process that tells what it was asked.
import { createServer, request as forward, type Server as HttpServer } from "node:http";
import { type AddressInfo, connect as dial } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { proxyFor } from "../../shared/net/proxy.ts";
import { dnsSays } from "../double/names.ts";
import { startDouble } from "./double.ts";
import { trial } from "./trial.ts";

test.each<[string, Record<string, string>, string, string | undefined]>([
  [
    "for https the one for https",
    { HTTPS_PROXY: "http://p:1", HTTP_PROXY: "http://q:2" },
    "https://r.io",
    "http://p:1/",
  ],
  ["for http the one for http", { HTTPS_PROXY: "http://p:1", HTTP_PROXY: "http://q:2" }, "http://r.io", "http://q:2/"],
  ["in small letters", { https_proxy: "http://p:1" }, "https://r.io", "http://p:1/"],
  ["without a scheme", { HTTPS_PROXY: "p.example:3128" }, "https://r.io", "http://p.example:3128/"],
  ["none for https where there is one for http", { HTTP_PROXY: "http://q:2" }, "https://r.io", undefined],
  ["none where it is empty", { HTTPS_PROXY: "" }, "https://r.io", undefined],
  ["none in a pod's web socket but that for https", { HTTPS_PROXY: "http://p:1" }, "wss://r.io", "http://p:1/"],
])("%s", (_, env, url, proxy) => {
  expect(proxyFor(new URL(url), env)?.href).toBe(proxy);
});

test.each<[string, string, boolean]>([
  ["r.io", "https://r.io", true],
  ["R.IO", "https://r.io", true],
  ["r.io", "https://a.r.io", true],
  [".r.io", "https://a.r.io", true],
  ["*.r.io", "https://a.r.io", true],
  ["r.io", "https://ar.io", false],
  ["x.io, r.io", "https://r.io", true],
  ["x.io r.io", "https://r.io", true],
  ["*", "https://r.io", true],
  ["r.io:443", "https://r.io", true],
  ["r.io:443", "https://r.io:5000", false],
  ["r.io:5000", "https://r.io:5000", true],
  ["10.0.0.0/8", "https://10.1.2.3:6443", true],
  ["10.0.0.0/8", "https://11.1.2.3", false],
  ["10.1.2.3", "https://10.1.2.3", true],
  ["10.1.2.3:80", "http://10.1.2.3", true],
  ["::1", "https://[::1]:5000", true],
  ["[::1]:5000", "https://[::1]:5000", true],
  ["[::1]:5001", "https://[::1]:5000", false],
  ["fd00::/8", "https://[fd12::1]", true],
  ["10.0.0.0/nonsense", "https://10.1.2.3", false],
  ["", "https://r.io", false],
])("NO_PROXY=%s and %s", (list, url, excepted) => {
  const proxies = { HTTPS_PROXY: "http://p:1", HTTP_PROXY: "http://p:1" };
  expect(proxyFor(new URL(url), { ...proxies, NO_PROXY: list }) === undefined).toBe(excepted);
  expect(proxyFor(new URL(url), { ...proxies, no_proxy: list }) === undefined).toBe(excepted);
});

test("what is no proxy's address is explained, without its value", () => {
  const said = () => proxyFor(new URL("https://r.io"), { HTTPS_PROXY: "http://user:secret@p:port" });
  expect(said).toThrow("HTTPS_PROXY does not hold a proxy's address");
  expect(said).not.toThrow(/secret/);
});

interface Proxy {
  url: string;
  /** The hosts that it was asked for, and with which login. */
  asked: [string, string | undefined][];
  stop(): Promise<unknown>;
}

/** Forwards everything to `host`, whatever name it is asked for; `status` in place of that, if given. */
async function startProxy(host: string, status?: number): Promise<Proxy> {
  const asked: Proxy["asked"] = [];
  const server: HttpServer = createServer((incoming, outgoing) => {
    const { method, url = "", headers } = incoming;
    asked.push([new URL(url).host, headers["proxy-authorization"]]);
    if (status !== undefined) return void outgoing.writeHead(status).end();
    const { pathname, search } = new URL(url);
    const onward = forward(`http://${host}${pathname}${search}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  server.on("connect", ({ url, headers }, socket) => {
    asked.push([url ?? "", headers["proxy-authorization"]]);
    if (status !== undefined) return void socket.end(`HTTP/1.1 ${status} no\r\n\r\n`);
    const [name = "", port] = host.split(":");
    const onward = dial(Number(port), name, () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    onward.pipe(socket).pipe(onward);
    for (const one of [onward, socket]) one.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked, stop };
}

test("a registry that only the proxy knows is published to, with the proxy's login", async () => {
  const registry = await startDouble();
  const proxy = await startProxy(registry.host);
  const env = { HTTP_PROXY: `http://user:pass@${proxy.url}` };
  try {
    await trial("registry.invalid", "team/keyway", undefined, undefined, { env }).publish("1.0");
    expect(registry.stored.has("team/keyway:1.0")).toBe(true);
    expect(proxy.asked.length).toBe(registry.asked.length);
    expect(new Set(proxy.asked.map(([host]) => host))).toEqual(new Set(["registry.invalid"]));
    expect(proxy.asked[0]?.[1]).toBe(`Basic ${Buffer.from("user:pass").toString("base64")}`);
  } finally {
    await Promise.all([registry.stop(), proxy.stop()]);
  }
});

test("NO_PROXY keeps a registry from the proxy", async () => {
  const registry = await startDouble();
  const env = { http_proxy: "http://127.0.0.1:9", no_proxy: "127.0.0.0/8" };
  try {
    await trial(registry.host, "team/keyway", undefined, undefined, { env }).publish("1.0");
  } finally {
    await registry.stop();
  }
});

test.each([
  ["https", false],
  ["http", true],
] as const)(
  "a proxy that refuses, or is not there, is named for %s, and never its password",
  async (scheme, insecure) => {
    const proxy = await startProxy("", 407);
    const name = `${scheme.toUpperCase()}_PROXY`;
    const publish = (address: string) =>
      trial("registry.invalid", "team/keyway", undefined, undefined, {
        insecure,
        env: { [name]: `http://user:secret@${address}` },
      })
        .publish("1.0")
        .catch((thrown) => thrown);
    const refused = await publish(proxy.url);
    await proxy.stop();
    const absent = await publish(proxy.url);
    expect(refused.message).toBe(`the proxy ${proxy.url} refuses to connect to registry.invalid (407)`);
    expect(absent.message).toBe(`the proxy ${proxy.url} can't be reached`);
    for (const { next, message } of [refused, absent]) {
      expect(next).toContain("NO_PROXY=registry.invalid");
      expect(message + next).not.toContain("secret");
    }
  },
);

test.each([
  ["ENOTFOUND", "there is no host registry.invalid"],
  ["EAI_AGAIN", "no DNS server tells the address of registry.invalid"],
] as const)("a host that DNS does not tell is explained with the proxy in mind: %s", async (code, message) => {
  onTestFinished(dnsSays(code));
  const error = await trial("registry.invalid")
    .publish("1.0")
    .catch((thrown) => thrown);
  expect([error.message, error.next]).toEqual([message, expect.stringContaining("set HTTPS_PROXY")]);
});
