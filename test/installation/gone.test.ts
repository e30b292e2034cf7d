// Services that the installed routes lead to and that are gone since.
import { expect, test } from "vitest";
import { goneTargets } from "../../installer/lifecycle/gone.ts";
import type { Installation } from "../../installer/manifests/installation.ts";
import { compileRoutes } from "../../routes/compiling/compile.ts";
import { parseRouteFile } from "../../routes/reading/route-file.ts";
import { desired, SANDBOX } from "./fleet.ts";

const live: Installation = { ...desired, version: 1 };
const reviews = { name: "reviews", namespace: "demo", ports: [{ port: 9080, name: "http" }] };
const sandbox = { ...reviews, name: "reviews-pr-42" };

function targetOf(file: string, services: (typeof reviews)[], installed: Installation | undefined): unknown {
  const all = [...services, ...goneTargets(installed, services)];
  const surroundings = { mode: "outbound", namespace: "demo", domain: "cluster.local", services: all } as const;
  const [route] = compileRoutes(parseRouteFile(file), surroundings).configuration.routes;
  return route && "to" in route ? route.to : undefined;
}

test("a route to a service that is gone is compiled as it was, while the installation still has it", () => {
  const file = "routes: [{service: reviews, key: pr-42, to: reviews-pr-42}]";
  expect(targetOf(file, [reviews], live)).toBe(SANDBOX);
  expect(targetOf(file, [reviews, sandbox], live)).toBe(SANDBOX);
});

test("a service that no installed route leads to is still a mistake", () => {
  const file = "routes: [{service: reviews, key: pr-42, to: reviews-pr-7}]";
  expect(() => targetOf(file, [reviews], live)).toThrow();
  expect(() => targetOf(file.replace("pr-7", "pr-42"), [reviews], undefined)).toThrow();
});
