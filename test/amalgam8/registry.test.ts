// Amalgam8's registry over HTTP: statuses, bodies, and what registration means for routes.
import { expect, test } from "vitest";
import { backends, forUser, instance, rule, startA8 } from "./a8.ts";

test("an instance is registered, renewed, found and deregistered", async () => {
  const { send, get, url } = await startA8();
  const more = { ttl: 60, tags: ["v2", "eu"], metadata: { zone: 1 }, status: "starting" };
  // What the Go client sends beside what is asked for.
  const registered = await send("POST", "/api/v1/instances", {
    ...instance("reviews", "10.0.0.1:9080", more),
    id: "mine",
    last_heartbeat: "0001-01-01T00:00:00Z",
  });
  const { id } = registered.body;
  // The first half of SHA-256 of reviews/http/10.0.0.1:9080.
  expect(id).toMatch(/^[0-9a-f]{16}$/);
  const self = `${url}/api/v1/instances/${id}`;
  expect([registered.status, registered.body]).toEqual([
    201,
    { id, ttl: 60, links: { self, heartbeat: `${self}/heartbeat` } },
  ]);
  expect(registered.headers.get("location")).toBe(self);
  const [before] = (await get("/api/v1/instances?status=ALL")).body.instances;
  expect(before).toEqual({
    id,
    service_name: "reviews",
    endpoint: { type: "http", value: "10.0.0.1:9080" },
    ttl: 60,
    status: "STARTING",
    metadata: { zone: 1 },
    tags: ["v2", "eu"],
    last_heartbeat: expect.stringMatching(/^20\d\d-\d\d-\d\dT[\d:.]+Z$/),
  });
  const renewed = await send("PUT", `/api/v1/instances/${id}/heartbeat`);
  expect([renewed.status, renewed.body]).toEqual([200, ""]);
  const { body } = await get("/api/v1/services/reviews");
  expect(body).toEqual({ service_name: "reviews", instances: [{ ...before, last_heartbeat: expect.any(String) }] });
  expect(Date.parse(body.instances[0].last_heartbeat)).toBeGreaterThan(Date.parse(before.last_heartbeat));
  expect((await get("/api/v1/services")).body).toEqual({ services: ["reviews"] });

  const again = await send("POST", "/api/v1/instances", instance("reviews", "10.0.0.1:9080"));
  expect(again.body).toMatchObject({ id, ttl: 30 });
  expect((await get("/api/v1/instances")).body.instances).toMatchObject([{ id, status: "UP", ttl: 30 }]);
  const gone = await send("DELETE", `/api/v1/instances/${id}`);
  expect([gone.status, gone.body]).toEqual([200, ""]);
  for (const [method, path] of [
    ["DELETE", `/api/v1/instances/${id}`],
    ["PUT", `/api/v1/instances/${id}/heartbeat`],
    ["PUT", "/api/v1/instances/nobody/heartbeat"],
  ] as const) {
    expect(await send(method, path)).toMatchObject({
      status: 410,
      body: { Error: expect.stringMatching(/register it again$/) },
    });
  }
  expect((await get("/api/v1/services")).body).toEqual({ services: [] });
  const unknown = await get("/api/v1/services/reviews");
  expect([unknown.status, unknown.body]).toEqual([404, { Error: "Service name not found: reviews" }]);
  // Without it the Go client takes the server to be away.
  expect(unknown.headers.get("sd-request-id")).toMatch(/./);
});

test("instances are selected by service, tags and status, and their fields as well", async () => {
  const { send, get } = await startA8();
  for (const [at, tags, status] of [
    [1, ["v1"], "UP"],
    [2, ["v1", "eu"], "UP"],
    [3, ["v2"], "OUT_OF_SERVICE"],
  ] as const) {
    await send("POST", "/api/v1/instances", instance("a/b", `10.0.0.${at}`, { tags, status }));
  }
  const found = async (query: string) => {
    const { body } = await get(`/api/v1/instances?${query}`);
    return body.instances.map(({ endpoint }: { endpoint: { value: string } }) => endpoint.value.slice(-1)).sort();
  };
  expect(await found("")).toEqual(["1", "2"]);
  expect(await found("status=all")).toEqual(["1", "2", "3"]);
  expect(await found("status=out_of_service")).toEqual(["3"]);
  expect(await found("tags=v1,eu")).toEqual(["2"]);
  expect(await found("tags=v2")).toEqual(["3"]);
  expect(await found("service_name=a%2Fb")).toEqual(["1", "2", "3"]);
  expect(await found("service_name=c")).toEqual([]);
  expect((await get("/api/v1/services/a%2Fb")).body.instances).toHaveLength(3);
  const { body } = await get("/api/v1/instances?fields=status&tags=eu");
  expect(body.instances).toEqual([
    { id: expect.any(String), endpoint: { type: "http", value: "10.0.0.2" }, status: "UP" },
  ]);
  expect(await get("/api/v1/instances?fields=colour")).toMatchObject({
    status: 400,
    body: { Error: expect.stringMatching(/^fields: .*colour/) },
  });
  for (const name of ["colour", "ttl", "endpoint"]) {
    expect(await get(`/api/v1/instances?${name}=1`)).toMatchObject({
      status: 400,
      body: { Error: expect.stringContaining(name) },
    });
  }
});

test.each([
  ["nothing", "", /empty/],
  ["no JSON", "[", /not JSON/],
  ["no object", [], /^expected an object$/],
  ["no service", { endpoint: { type: "http", value: "a" } }, /^service_name: Service name is required$/],
  ["a service without a name", instance("", "a"), /^service_name: Service name is required/],
  ["a number for a service", instance(5 as never, "a"), /^service_name: expected a text$/],
  ["a long service", instance("x".repeat(65), "a"), /^service_name: .*exceeded 64 bytes$/],
  ["a service of many bytes", instance("ü".repeat(33), "a"), /^service_name: .*exceeded 64 bytes$/],
  ["no endpoint", { service_name: "a" }, /^endpoint: Instance endpoint is required$/],
  [
    "an endpoint without a value",
    { service_name: "a", endpoint: { type: "http" } },
    /^endpoint\.value: Endpoint type or value are missing$/,
  ],
  [
    "an endpoint of no type that is known",
    { service_name: "a", endpoint: { type: "ftp", value: "a" } },
    /^endpoint\.type: Endpoint type is invalid; it is one of http, /,
  ],
  ["a long endpoint", instance("a", "x".repeat(129)), /^endpoint\.value: .*exceeded 128 bytes$/],
  [
    "a status that is none",
    instance("a", "b", { status: "ok" }),
    /^status: Valid statuses are: UP, STARTING, OUT_OF_SERVICE$/,
  ],
  ["a lifetime that is no number", instance("a", "b", { ttl: "5s" }), /^ttl: expected seconds$/],
  ["a negative lifetime", instance("a", "b", { ttl: -1 }), /^ttl: expected seconds$/],
  ["tags that are no list", instance("a", "b", { tags: "v1" }), /^tags: expected a list of texts$/],
  ["much metadata", instance("a", "b", { metadata: "x".repeat(1100) }), /^metadata: .*exceeded 1024 bytes$/],
])("%s is no instance", async (_, body, message) => {
  const { send, get, served } = await startA8();
  const answer = await send("POST", "/api/v1/instances", body);
  expect(answer).toMatchObject({ status: 400, body: { Error: expect.stringMatching(message) } });
  expect((await get("/api/v1/instances?status=ALL")).body).toEqual({ instances: [] });
  await served.end();
});

test.each([
  [undefined, 30],
  [0, 30],
  [1, 10],
  [45, 45],
  [3600, 600],
])("who asks for a lifetime of %s seconds has %i", async (ttl, given) => {
  const { send, served } = await startA8();
  expect((await send("POST", "/api/v1/instances", instance("a", "b", { ttl }))).body.ttl).toBe(given);
  await served.end();
});

test("a route leads to what has registered as long as any of it is up", async () => {
  const { send, routes } = await startA8();
  const weighted = { backends: [{ tags: ["v3"], weight: 0.2 }, { tags: ["v1"] }] };
  const rules = [
    rule("reviews", "v2", { priority: 3, match: forUser("alice") }),
    rule("reviews", "v2", {
      priority: 2,
      match: forUser("bob"),
      route: { backends: [{ name: "other", tags: ["v2"] }] },
    }),
    { destination: "reviews", priority: 1, route: weighted },
  ];
  expect((await send("POST", "/v1/rules", { rules })).status).toBe(201);
  // Nobody has registered with these tags: whether anything is there is not for the registry to say.
  const all = ["default.reviews.0001", "default.reviews.0002", "default.reviews.0003"];
  expect(await routes()).toEqual(all);
  const register = async (value: string, tags: string[], status = "UP") =>
    (await send("POST", "/api/v1/instances", instance("reviews", value, { tags, status }))).body.id;
  const first = await register("10.0.0.1", ["v2", "eu"]);
  const second = await register("10.0.0.2", ["v2"]);
  const canary = await register("10.0.0.3", ["v3"]);
  expect(await routes()).toEqual(all);
  await send("DELETE", `/api/v1/instances/${first}`);
  expect(await routes()).toEqual(all);
  await register("10.0.0.2", ["v2"], "OUT_OF_SERVICE");
  expect(await routes()).toEqual(all.slice(1));
  await register("10.0.0.2", ["v2"], "UP");
  expect(await routes()).toEqual(all);
  await send("DELETE", `/api/v1/instances/${second}`);
  await send("DELETE", `/api/v1/instances/${canary}`);
  expect(await routes()).toEqual(all.slice(1));
});

test("a share that leads to nobody is left out, and the rest stays", async () => {
  const { send, served } = await startA8();
  const route = { backends: [{ tags: ["v3"], weight: 0.2 }, { tags: ["v1"] }] };
  await send("POST", "/v1/rules", { rules: [{ destination: "a", route }] });
  const shares = async () => (await served.ask("/v1/routes")).body.routes[0].split;
  const [v3, v1] = [
    { to: { service: "a", subset: "v3" }, weight: 20 },
    { to: { service: "a", subset: "v1" }, weight: 80 },
  ];
  const { body } = await send("POST", "/api/v1/instances", instance("a", "b", { tags: ["v3"] }));
  expect(await shares()).toEqual([v3, v1]);
  await send("DELETE", `/api/v1/instances/${body.id}`);
  expect(await shares()).toEqual([v1]);
  // What was once there is remembered by those who start later.
  await served.end();
  const again = await startA8({}, served.folder);
  expect((await again.served.ask("/v1/routes")).body.routes[0].split).toEqual([v1]);
  await again.send("POST", "/v1/rules", { rules: [rule("b", "v3"), { destination: "b", route: backends("v1") }] });
  expect(await again.routes()).toEqual(["default.a.0001", "default.b.0001"]);
});

test("a heartbeat is no revision of the table", async () => {
  const { send, served } = await startA8();
  await send("POST", "/v1/rules", { rules: [rule("a", "v1")] });
  const { body } = await send("POST", "/api/v1/instances", instance("a", "b", { tags: ["v1"] }));
  const revision = async () => (await served.ask("/v1/routes")).body.revision;
  const before = await revision();
  const beats = Array.from({ length: 50 }, () => send("PUT", `/api/v1/instances/${body.id}/heartbeat`));
  expect(new Set((await Promise.all(beats)).map(({ status }) => status))).toEqual(new Set([200]));
  expect(await revision()).toBe(before);
  expect(before).toBe(1);
});
