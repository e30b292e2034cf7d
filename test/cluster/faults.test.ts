// What the client does when the API server misbehaves.
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  admissionRefusal,
  cutConnection,
  namespaceTerminating,
  neverAnswer,
  noRights,
  stallHalfway,
  tooLarge,
  tooManyRequests,
  unauthorized,
  unavailable,
} from "../double/faults.ts";
import { connect, plugin, server } from "./connect.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("what passes is tried again", () => {
  test.each([
    ["429 with Retry-After", tooManyRequests(0)],
    ["503", unavailable],
    ["a cut connection", cutConnection],
  ])("%s", async (_, fault) => {
    const api = await server();
    const cluster = await connect(api);
    api.faults.add(/^GET \/version/, fault);
    expect(await cluster.serverVersion()).toBe("v1.36.3");
    api.faults.add(/^PATCH /, fault);
    await cluster.apply({ ...plugin, spec: { priority: 1 } });
    api.faults.add(/^DELETE /, fault);
    expect(await cluster.remove(plugin)).toBe(true);
  });

  test("429 as late as the server asks for", async () => {
    const api = await server();
    const cluster = await connect(api);
    api.faults.add(/^GET \/version/, tooManyRequests(1));
    const begun = Date.now();
    await cluster.serverVersion();
    expect(Date.now() - begun).toBeGreaterThanOrEqual(990);
  });

  test("a server that stays unavailable is told in its own words", async () => {
    const api = await server();
    const cluster = await connect(api);
    api.faults.add(/^GET \/version/, tooManyRequests(0), 100);
    await expect(cluster.serverVersion()).rejects.toMatchObject({ code: 429 });
    expect(api.requests.length).toBeLessThan(20);
  });

  test("one that asks for more patience than there is time is told at once", async () => {
    const api = await server();
    const cluster = await connect(api);
    api.faults.add(/^GET \/version/, tooManyRequests(3600));
    await expect(cluster.serverVersion()).rejects.toMatchObject({ code: 429 });
  });

  test("a write that may have happened and is bound to a version is not sent again", async () => {
    const api = await server();
    const cluster = await connect(api);
    const { metadata } = await cluster.apply({ ...plugin, spec: { priority: 1 } });
    api.requests.length = 0;
    api.faults.add(/^PATCH /, cutConnection);
    await expect(cluster.apply({ ...plugin, metadata, spec: { priority: 2 } })).rejects.toThrow("can't be reached");
    expect(api.requests).toHaveLength(1);
  });
});

describe("who does not answer is named, within a limit", () => {
  test.each([
    ["never", neverAnswer],
    ["half", stallHalfway],
  ])("answers %s", async (_, fault) => {
    const api = await server();
    const cluster = await connect(api);
    await cluster.resources("extensions.istio.io", "v1alpha1");
    api.faults.add(/wasmplugins/, fault, 100);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const asked = cluster.get(plugin).catch((thrown: unknown) => thrown);
    await expect.poll(() => api.requests.some((one) => one.includes("wasmplugins"))).toBe(true);
    await vi.advanceTimersByTimeAsync(40_000);
    expect(await asked).toMatchObject({
      message: "the API server did not answer within 15 s",
      where: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/, to get WasmPlugin demo\/keyway$/),
    });
  });

  test("an interruption ends a question at once", async () => {
    const api = await server();
    const stop = new AbortController();
    const cluster = await connect(api, { signal: stop.signal });
    api.faults.add(/version/, neverAnswer);
    const asked = cluster.serverVersion().catch((thrown: unknown) => thrown);
    await expect.poll(() => api.requests).toHaveLength(1);
    stop.abort(new Error("interrupted"));
    expect(await asked).toMatchObject({ message: "interrupted" });
  });
});

describe("a refusal is told for what it is", () => {
  test.each([
    [
      "missing rights",
      noRights(
        'wasmplugins.extensions.istio.io "keyway" is forbidden: User "eve" cannot patch resource "wasmplugins" in API group "extensions.istio.io" in the namespace "demo"',
      ),
      { message: /^no permission to patch WasmPlugin demo\/keyway: .*User "eve" cannot patch/, next: "ask for rights" },
    ],
    [
      "a namespace that goes",
      namespaceTerminating("wasmplugins.extensions.istio.io", "keyway", "demo"),
      { message: /^can't patch .* because it is being terminated/, next: /namespace/ },
    ],
    [
      "an admission policy",
      admissionRefusal(
        "wasmplugins.extensions.istio.io \"keyway\" is forbidden: ValidatingAdmissionPolicy 'no-wasm' with binding 'all' denied request: no plugins here",
      ),
      { message: /admission control .*no plugins here/, next: /policy or webhook/ },
    ],
    [
      "an admission webhook",
      admissionRefusal('admission webhook "guard.example.com" denied the request: label team is missing', 403),
      { message: /admission control .*label team is missing/, next: /policy or webhook/ },
    ],
    [
      "a quota",
      noRights("wasmplugins is forbidden: exceeded quota: plugins"),
      { message: /^can't patch .*exceeded quota/, next: /ResourceQuota/ },
    ],
    ["a size", tooLarge, { message: /larger than the API server takes/, next: /smaller/ }],
    ["credentials", unauthorized, { message: /does not accept the credentials/, next: /log in again/ }],
  ])("%s", async (_, fault, { message, next }: { message: RegExp; next?: string | RegExp }) => {
    const api = await server();
    const cluster = await connect(api);
    api.faults.add(/^PATCH /, fault);
    const refused = (await cluster.apply(plugin).catch((thrown: unknown) => thrown)) as {
      message: string;
      next?: string;
    };
    expect(refused.message).toMatch(message);
    if (next === undefined) expect(refused.next).toBeUndefined();
    else expect(refused.next).toMatch(next);
  });

  test.each([
    ["a page", "<html>welcome</html>", "no JSON"],
    ["null", "null", "no items"],
    ["a list", "[]", "no items"],
    ["an object without what was asked for", "{}", "no items"],
  ])("what is no API server, and answers with %s", async (_, body, sent) => {
    const api = await server();
    const cluster = await connect(api);
    await cluster.get(plugin);
    api.faults.add(/wasmplugins/, (_, response) => response.end(body));
    await expect(cluster.list("extensions.istio.io/v1alpha1", "WasmPlugin")).rejects.toThrow(
      `can't list WasmPlugins in all namespaces: what answers is no Kubernetes API server, it sends ${sent}`,
    );
  });

  test("a list without items, as some servers write an empty one", async () => {
    const api = await server();
    const cluster = await connect(api);
    await cluster.get(plugin);
    api.faults.add(/wasmplugins/, (_, response) => response.end('{"items":null}'));
    expect(await cluster.list("extensions.istio.io/v1alpha1", "WasmPlugin")).toEqual([]);
  });

  test("a discovery that is none", async () => {
    const api = await server();
    const cluster = await connect(api);
    api.faults.add(/extensions/, (_, response) => response.end("null"));
    await expect(cluster.get(plugin)).rejects.toThrow("no Kubernetes API server");
  });

  test("a long page of something in between, as one line", async () => {
    const api = await server();
    const cluster = await connect(api);
    api.faults.add(/version/, (_, response) =>
      response.writeHead(403).end(`<html>\n\u001b[31mblocked${" by the proxy".repeat(100)}`),
    );
    await expect(cluster.serverVersion()).rejects.toThrow(
      /^can't read the version: <html> \[31mblocked by the proxy[ -~]{1,200}$/,
    );
  });

  test("a token with a line break in it", async () => {
    const api = await server();
    const cluster = await connect(api, { user: { token: "one\ntwo" } });
    await expect(cluster.serverVersion()).rejects.toThrow(/^the credentials can't be sent: a line break/);
  });

  test("a mistake of our own stays one", async () => {
    const api = await server();
    const cluster = await connect(api);
    await expect(cluster.apply({ ...plugin, spec: { version: 1n } })).rejects.toThrow(TypeError);
  });

  test("an API server that is not there", async () => {
    const api = await server();
    const cluster = await connect(api);
    await api.close();
    await expect(cluster.serverVersion()).rejects.toThrow(/can't be reached: .*ECONNREFUSED/);
  });
});
