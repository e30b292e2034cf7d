// A redirect that Envoy follows by itself takes a request through the filter a second time.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Listener, manager } from "../../scripts/proxy/bootstrap.ts";
import { type Bed, startBed } from "./bed/bed.ts";
import { cluster } from "./bed/bootstrap.ts";
import type { Service } from "./bed/services.ts";

/** A service that redirects /old to /new, and /lost as well, without the query, and answers anything else with its name and the hop marks that it saw. */
async function redirecting(name: string): Promise<Service> {
  const server = createServer((request, response) => {
    const [path, query = ""] = (request.url ?? "").split("?");
    if (path === "/lost") response.writeHead(302, { location: `http://${request.headers.host}/new` }).end();
    else if (path === "/old")
      response.writeHead(302, { location: `http://${request.headers.host}/new?${query}` }).end();
    else {
      response.setHeader("x-service", name);
      response.end(JSON.stringify({ service: name, headers: Object.entries(request.headers) }));
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const stop = async () => {
    server.closeAllConnections();
    await once(server.close(), "close");
  };
  return { name, port: (server.address() as AddressInfo).port, stop };
}

const MARK = "x-keyway-routed";
const services: Service[] = [];
let bed: Bed;
beforeAll(async () => {
  services.push(await redirecting("reviews"), await redirecting("sandbox"), await redirecting("ratings"));
  bed = await startBed({
    config: {
      link: true,
      routes: [
        { from: "reviews", key: "pr-42", to: "sandbox" },
        { from: "ratings", key: "pr-7", to: "sandbox" },
      ],
    },
    baselines: { "/": "reviews", "/ratings": "ratings" },
    targets: ["sandbox"],
    change: ({ static_resources }) => {
      static_resources.clusters = services.map(({ name, port }) => cluster(name, port));
      const [host] = manager(static_resources.listeners[0] as Listener).route_config.virtual_hosts;
      for (const { route } of host?.routes ?? []) Object.assign(route, { internal_redirect_policy: {} });
    },
  });
});
afterAll(async () => {
  await bed.stop();
  await Promise.all(services.map(({ stop }) => stop()));
});

test("a redirected request keeps its key and goes to the target again", async () => {
  const answer = await bed.keyed("pr-42", { path: "/old" });
  expect([answer.status, answer.service, answer.seen(MARK)]).toEqual([200, "sandbox", ["sandbox"]]);
});

test("a redirected request without a key stays at the baseline", async () => {
  expect((await bed.ask({ path: "/old" })).service).toBe("reviews");
});

test("a request that comes with the mark stays at the baseline, which may redirect it", async () => {
  const answer = await bed.keyed("pr-42", { headers: { [MARK]: "sandbox" } });
  expect([answer.service, answer.seen(MARK)]).toEqual(["reviews", []]);
});

test.each([
  ["pr-42", "sandbox"],
  ["pr-43", "reviews"],
])("a link with key %s that Envoy redirects has the key there, too", async (key, service) => {
  const headers = { cookie: "a=1" };
  const answer = await bed.ask({ path: `/old?keyway=${key}`, headers });
  expect([answer.status, answer.service, answer.seen("cookie")]).toEqual([200, service, [`a=1; keyway=${key}`]]);
  const dropped = await bed.ask({ path: `/lost?keyway=${key}`, headers });
  expect([dropped.status, dropped.service, dropped.seen("cookie")]).toEqual([200, service, [`a=1; keyway=${key}`]]);
});
