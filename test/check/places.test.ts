import { afterEach, beforeEach, expect, test } from "vitest";
import { gatewayExists, namesAllowed, namespaceExists } from "../../installer/check/places.ts";
import { type Fleet, startFleet } from "../installation/fleet.ts";
import { forbid, installation, put, resultOf } from "./bed.ts";

let fleet: Fleet;
beforeEach(async () => {
  fleet = await startFleet();
});
afterEach(() => fleet.close());

test("a namespace that there is not, or that is being deleted, is told, with the nearest that there is", async () => {
  put(fleet, "v1", "Namespace", "demos", {});
  expect(await resultOf(fleet, namespaceExists)).toMatchObject({
    status: "fatal",
    detail: "there is no namespace demo; did you mean demos?",
  });
  put(fleet, "v1", "Namespace", "demo", {}, { status: { phase: "Terminating" } });
  expect(await resultOf(fleet, namespaceExists)).toMatchObject({ status: "fatal", detail: "demo is being deleted" });
  put(fleet, "v1", "Namespace", "demo", {}, { status: { phase: "Active" } });
  expect(await resultOf(fleet, namespaceExists)).toMatchObject({ status: "ok" });
});

test("without the right to look at the namespace nothing is said against it", async () => {
  forbid(fleet, /GET \/api\/v1\/namespaces\/demo$/);
  expect(await resultOf(fleet, namespaceExists)).toMatchObject({
    status: "skipped",
    detail: "not looked at: you may not get namespace demo",
  });
});

const gateway = (name: string) => installation({ mode: "gateway", scope: { gateway: name } });

test("a gateway that there is not is told, and a waypoint is refused", async () => {
  const add = (name: string, gatewayClassName: string) =>
    put(fleet, "gateway.networking.k8s.io/v1", "Gateway", name, { gatewayClassName });
  add("public", "istio");
  add("way", "istio-waypoint");
  expect(await resultOf(fleet, gatewayExists, gateway("public"))).toMatchObject({ status: "ok" });
  expect(await resultOf(fleet, gatewayExists, gateway("pubic"))).toMatchObject({
    status: "fatal",
    detail: "there is no Gateway demo/pubic; did you mean public?",
  });
  expect(await resultOf(fleet, gatewayExists, gateway("way"))).toMatchObject({
    status: "fatal",
    detail: expect.stringContaining("way is a waypoint"),
    hint: expect.stringContaining("not supported"),
  });
  forbid(fleet, /GET .*\/gateways\/public/);
  expect(await resultOf(fleet, gatewayExists, gateway("public"))).toMatchObject({ status: "skipped" });
});

test.each([
  ["name", { name: "Keyway" }, 'name "Keyway"'],
  ["long name", { name: "k".repeat(64) }, `name "${"k".repeat(64)}"`],
  ["namespace", { namespace: "my_space" }, 'namespace "my_space"'],
  ["namespace with a dot", { namespace: "a.b" }, 'namespace "a.b"'],
  ["label's value", { scope: { labels: { app: "reviews-" } } }, 'label "app=reviews-"'],
  ["label's name", { scope: { labels: { "a/b/c": "x" } } }, 'label "a/b/c=x"'],
  ["gateway", { mode: "gateway" as const, scope: { gateway: "Public" } }, 'gateway "Public"'],
  ["secret", { pullSecret: "my secret" }, 'image pull secret "my secret"'],
])("a %s that the API server would refuse is refused before", async (_, more, what) => {
  expect(await resultOf(fleet, namesAllowed, installation(more))).toMatchObject({
    status: "fatal",
    detail: `not allowed: ${what}`,
  });
});

test("names and labels as Kubernetes has them pass", async () => {
  const labels = { "app.kubernetes.io/name": "Reviews_1.0", tier: "" };
  expect(await resultOf(fleet, namesAllowed, installation({ name: "pr-42.keyway", scope: { labels } }))).toMatchObject({
    status: "ok",
  });
});
