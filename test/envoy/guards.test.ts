// What the filter tells the router stays in the proxy, whether or not a route takes the selection.
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Listener, manager, type Route, type VirtualHost } from "../../scripts/proxy/bootstrap.ts";
import { type Bed, startBed } from "./bed/bed.ts";
import { cluster } from "./bed/bootstrap.ts";
import type { Service } from "./bed/services.ts";

const SELECTION = "x-keyway-cluster";
const MARK = "x-keyway-routed";
const SERVED = "x-keyway-served";

/** A service that takes CONNECT and keeps the headers that it came with. */
async function connectable(name: string): Promise<Service & { seen: IncomingHttpHeaders[] }> {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((_, response) => void response.end());
  server.on("connect", ({ headers }, socket) => {
    seen.push(headers);
    socket.end(`HTTP/1.1 200 OK\r\nx-service: ${name}\r\n\r\n`);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const stop = async () => {
    server.closeAllConnections();
    await once(server.close(), "close");
  };
  return { name, port: (server.address() as AddressInfo).port, stop, seen };
}

const CONNECT = { upgrade_type: "CONNECT" };
let tunnel: Awaited<ReturnType<typeof connectable>>;
let copy: Awaited<ReturnType<typeof connectable>>;
let bed: Bed;
beforeAll(async () => {
  [tunnel, copy] = [await connectable("tunnel"), await connectable("tunnel-pr-42")];
  bed = await startBed({
    config: {
      hopMark: "route",
      routes: [
        { from: "reviews", key: "pr-42", to: "pr-42" },
        { from: "tunnel", key: "pr-42", to: "tunnel-pr-42" },
      ],
    },
    targets: ["pr-42"],
    change: ({ static_resources }) => {
      const [web] = static_resources.listeners as [Listener];
      static_resources.clusters.push(...[tunnel, copy].map(({ name, port }) => cluster(name, port)));
      Object.assign(manager(web), { upgrade_configs: [CONNECT] });
      const hosts = manager(web).route_config.virtual_hosts;
      const [shop] = hosts as [VirtualHost];
      const [guard, connectGuard, ...baselines] = shop.routes as [Route, Route, ...Route[]];
      const baseline = { match: { connect_matcher: {} }, route: { cluster: "tunnel", upgrade_configs: [CONNECT] } };
      Object.assign(connectGuard.route, { upgrade_configs: [CONNECT] });
      shop.routes.splice(2, 0, baseline);
      hosts.push({ name: "half", domains: ["half.test", "half.test:*"], routes: [guard, baseline, ...baselines] });
      hosts.push({ name: "bare", domains: ["bare.test", "bare.test:*"], routes: [baseline, ...baselines] });
    },
  });
});
afterAll(async () => {
  await bed.stop();
  await Promise.all([tunnel, copy].map(({ stop }) => stop()));
});

/** The answer to CONNECT, and the headers with which it arrived. */
async function connectTo(host: string) {
  const headers = { host: `${host}:80`, "x-routing-key": "pr-42" };
  const asked = request({ port: bed.port, method: "CONNECT", path: `${host}:80`, headers, agent: false }).end();
  const [response, socket] = await once(asked, "connect");
  socket.destroy();
  const service = response.headers["x-service"];
  return { service, served: response.headers[SERVED], seen: (service === "tunnel" ? tunnel : copy).seen.pop() };
}

describe("a request", () => {
  test("that a guard takes has the mark and not the selection, and its answer says who served it", async () => {
    const answer = await bed.keyed("pr-42");
    expect([answer.service, answer.seen(SELECTION), answer.seen(MARK)]).toEqual(["pr-42", [], ["pr-42"]]);
    expect(answer.headers[SERVED]).toBe("pr-42");
  });

  test("that comes with the mark of another target has the one of its own", async () => {
    const answer = await bed.keyed("pr-42", { headers: { [MARK]: "elsewhere" } });
    expect([answer.service, answer.seen(MARK)]).toEqual(["pr-42", ["pr-42"]]);
  });

  test("that comes with the mark of its target stays at the baseline, without it", async () => {
    const answer = await bed.keyed("pr-42", { headers: { [MARK]: "pr-42" } });
    expect([answer.service, answer.seen(MARK)]).toEqual(["reviews", []]);
    expect(answer.headers[SERVED]).toBeUndefined();
  });

  test("to a virtual host without a guard arrives at the baseline with neither", async () => {
    const answer = await bed.keyed("pr-42", { headers: { host: "bare.test" } });
    expect([answer.service, answer.seen(SELECTION), answer.seen(MARK)]).toEqual(["reviews", [], []]);
    expect(answer.headers[SERVED]).toBeUndefined();
  });
});

describe("CONNECT", () => {
  test("goes to the target where a guard with connect_matcher stands", async () => {
    const { service, served, seen } = await connectTo("any.test");
    expect([service, served, seen?.[MARK], seen?.[SELECTION]]).toEqual([
      "tunnel-pr-42",
      "tunnel-pr-42",
      "tunnel-pr-42",
      undefined,
    ]);
  });

  test.each(["half.test", "bare.test"])(
    "goes to the baseline with neither header where none stands: %s",
    async (host) => {
      const { service, served, seen } = await connectTo(host);
      expect([service, served, seen?.[MARK], seen?.[SELECTION]]).toEqual(["tunnel", undefined, undefined, undefined]);
    },
  );
});
