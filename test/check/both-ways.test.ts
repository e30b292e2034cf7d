import { afterEach, beforeEach, expect, test } from "vitest";
import { guardThere } from "../../installer/check/loaded.ts";
import { routesApart } from "../../installer/check/neighbours.ts";
import { tracesBothWays } from "../../installer/check/trace.ts";
import { envoyFilter } from "../../installer/manifests/envoyfilter.ts";
import type { Installation, Mode } from "../../installer/manifests/installation.ts";
import { wasmPlugin } from "../../installer/manifests/wasmplugin.ts";
import { addPod, type Fleet, startFleet } from "../installation/fleet.ts";
import { installation, resultOf } from "./bed.ts";

let fleet: Fleet;
beforeEach(async () => {
  fleet = await startFleet();
});
afterEach(() => fleet.close());

const stored = (object: object) => fleet.server.put(object as Parameters<Fleet["server"]["put"]>[0]);
const tracing = (mode: Mode, more: Partial<Installation> = {}) =>
  installation({ mode, config: { keys: ["header:x-routing-key", "trace"], routes: [] }, ...more });
const other = (mode: Mode, more: Partial<Installation> = {}) =>
  stored(wasmPlugin(tracing(mode, { name: "other", ...more })));
const result = (wanted: Installation) => resultOf(fleet, tracesBothWays, wanted);

test("a trace that is looked at on one way alone is told, and which way is missing", async () => {
  expect(await result(tracing("outbound"))).toMatchObject({
    status: "warning",
    detail: "trace is among the keys, but nothing that comes in is remembered, so nothing can be given back",
    hint: expect.stringContaining("--mode both"),
  });
  expect(await result(tracing("inbound"))).toMatchObject({
    status: "warning",
    detail: "trace is among the keys, but nothing that goes out is looked at, so nothing is given back",
  });
  expect(await result(tracing("gateway"))).toMatchObject({
    status: "warning",
    hint: expect.stringContaining("leave trace out at gateways"),
  });
});

test("both ways are enough, in one installation or in two, and without trace nothing is asked for", async () => {
  expect(await result(tracing("both"))).toMatchObject({ status: "ok" });
  for (const mode of ["inbound", "outbound", "gateway"] as const)
    expect(await result(installation({ mode }))).toMatchObject({ status: "ok" });
  other("inbound");
  expect(await result(tracing("outbound"))).toMatchObject({ status: "ok" });
  expect(await result(tracing("inbound"))).toMatchObject({ status: "warning" });
});

test("where the other way has an installation that does not remember, the remedy is there", async () => {
  const label = { scope: { labels: { app: "reviews" } } };
  other("outbound", { config: { routes: [] }, ...label });
  expect((await result(tracing("inbound"))).hint).toBe("install it for both ways: the same command with --mode both");
  other("outbound", { config: { routes: [] }, scope: { labels: {} } });
  expect(await result(tracing("inbound"))).toMatchObject({
    status: "warning",
    hint: expect.stringContaining("`keyway upgrade -n demo --name other -f routes.yaml`"),
  });
});

test("a memory that no key can come into is told", async () => {
  const alone = (mode: Mode, more = {}) => tracing(mode, { config: { keys: ["trace"], routes: [], ...more } });
  expect(await result(alone("both"))).toMatchObject({
    status: "warning",
    detail: "trace is the only one among the keys, so no key comes in that could be remembered",
    hint: expect.stringContaining("such as header:x-routing-key"),
  });
  expect(await result(alone("both", { link: true }))).toMatchObject({ status: "ok" });
  other("inbound");
  expect(await result(alone("outbound"))).toMatchObject({ status: "ok" });
});

test("an installation for the other way has to be for the same proxies, and to remember", async () => {
  other("inbound", { config: { routes: [] } });
  expect(await result(tracing("outbound"))).toMatchObject({ status: "warning" });
  other("inbound", { scope: { labels: { app: "reviews" } } });
  expect(await result(tracing("outbound"))).toMatchObject({ status: "warning" });
  other("both", { scope: { labels: {} } });
  expect(await result(tracing("outbound"))).toMatchObject({ status: "ok" });
  other("inbound", { scope: { labels: { app: "caller", version: "v1" } } });
  addPod(fleet, "caller-2", { app: "caller", version: "v1" });
  expect(await result(tracing("outbound"))).toMatchObject({ status: "warning" });
});

test("on both ways, a proxy needs the route that takes what is selected on each of them", async () => {
  const wanted = installation({ mode: "both" });
  const filter = envoyFilter(wanted);
  stored(filter);
  expect(await resultOf(fleet, guardThere, wanted)).toMatchObject({ status: "ok" });
  for (const lost of ["SIDECAR_INBOUND", "SIDECAR_OUTBOUND"]) {
    const left = filter.spec?.configPatches?.filter(({ match }) => ![lost, "GATEWAY"].includes(match?.context ?? ""));
    stored({ ...filter, spec: { ...filter.spec, configPatches: left } });
    expect(await resultOf(fleet, guardThere, wanted), lost).toMatchObject({ status: "fatal" });
  }
});

test("a route of an installation for both ways is the same as one for either of them", async () => {
  const { config } = installation();
  stored(wasmPlugin(installation({ name: "other", mode: "both" })));
  expect(await resultOf(fleet, routesApart, installation({ config }))).toMatchObject({
    status: "fatal",
    detail: expect.stringContaining("also in demo/other"),
  });
});
