// Whose tokens Amalgam8's clients may send, and which namespace is theirs.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { LiveRoute } from "../../routes/model/live-route.ts";
import { startServer, temporaryFolder } from "../api/serve.ts";
import { instance, rule, startA8 } from "./a8.ts";

const bearer = (token: string, more: Record<string, string> = {}) => ({ authorization: `Bearer ${token}`, ...more });

test("without tokens there is one namespace, for clients of this machine, and none of its pages", async () => {
  const { get } = await startA8();
  expect((await get("/v1/rules")).status).toBe(200);
  expect((await get("/v1/rules", bearer("default"))).status).toBe(200);
  expect(await get("/v1/rules", bearer("other"))).toMatchObject({
    status: 401,
    body: { error: "error_auth_not_authorized", description: expect.stringMatching(/knows no tokens/) },
  });
  expect(await get("/api/v1/services", { authorization: "Basic abc" })).toMatchObject({
    status: 401,
    body: { Error: "Malformed request Authorization header, expecting Bearer Token" },
  });
  expect((await get("/v1/rules", { origin: "https://elsewhere.example" })).status).toBe(403);
  const beyond = startServer({ amalgam8: ":0" });
  await expect(beyond).rejects.toThrow(/^whoever reaches :0 could change routes/);
});

test("tokens say who may read and write, and for which namespace", async () => {
  const folder = temporaryFolder();
  const tokens = join(folder, "tokens.yaml");
  writeFileSync(
    tokens,
    `tokens:
      - {name: ops, token: all, roles: [write]}
      - {name: viewer, token: looks, roles: [read]}
      - {name: envoy, token: proxy, roles: [proxy]}
      - {name: team, token: mine, roles: [write], namespace: team-a}`,
    { mode: 0o600 },
  );
  const { get, send, served } = await startA8({ tokens }, folder);
  const post = (service: string, headers: Record<string, string>) =>
    send("POST", "/v1/rules", { rules: [rule(service, "v1")] }, headers);
  expect(await get("/v1/rules")).toMatchObject({ status: 401, body: { error: "error_auth_header_missing" } });
  expect(await get("/v1/rules", bearer("nobody"))).toMatchObject({
    status: 401,
    body: { error: "error_auth_not_authorized" },
  });
  expect((await get("/v1/rules", bearer("looks"))).status).toBe(200);
  expect(await post("a", bearer("looks"))).toMatchObject({
    status: 403,
    body: { description: "the token of viewer has no role write" },
  });
  expect((await get("/api/v1/services", bearer("proxy"))).status).toBe(403);
  expect((await get("/health")).status).toBe(200);

  expect((await post("a", bearer("all"))).status).toBe(201);
  expect((await post("a", bearer("all", { "a8-namespace": "team-b" }))).status).toBe(201);
  expect((await post("a", bearer("mine"))).status).toBe(201);
  expect((await post("a", bearer("mine", { "a8-namespace": "team-b" }))).status).toBe(403);
  expect((await post("a", bearer("all", { "a8-namespace": "Team B" }))).status).toBe(400);
  const { body } = await served.ask("/v1/routes", { headers: bearer("all") });
  expect(body.routes.map(({ id, service, split }: LiveRoute) => [id, service, split?.[0]?.to])).toEqual([
    ["a8.default.a.0001", "a", { service: "a", subset: "v1" }],
    ["a8.team-a.a.0001", "a.team-a", { service: "a.team-a", subset: "v1" }],
    ["a8.team-b.a.0001", "a.team-b", { service: "a.team-b", subset: "v1" }],
  ]);
  const registered = await send("POST", "/api/v1/instances", instance("a", "b", { tags: ["v1"] }), bearer("mine"));
  expect((await get("/api/v1/services", bearer("all"))).body).toEqual({ services: [] });
  const other = bearer("all", { "a8-namespace": "team-a" });
  expect((await get("/api/v1/services", other)).body).toEqual({ services: ["a"] });
  expect((await send("DELETE", `/api/v1/instances/${registered.body.id}`, undefined, other)).status).toBe(200);
  const { body: left } = await served.ask("/v1/routes", { headers: bearer("all") });
  expect(left.routes.map(({ id }: { id: string }) => id)).toEqual(["a8.default.a.0001", "a8.team-b.a.0001"]);
});
