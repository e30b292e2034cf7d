// The route server's manifests on a real API server.
import { expect, test } from "vitest";
import { mesh } from "./bed/shared.ts";
import { keyway, keywayDone } from "./keyway.ts";

const NAMESPACE = "previews";
const IMAGE = "registry.example/keyway:0.1.0";

const names = async () => Object.keys(await mesh.dump());

test("the API server takes all of it, and has nothing of it afterwards", async () => {
  await mesh.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
  const before = await names();
  const at = ["-n", NAMESPACE];
  const choice = ["--image", IMAGE, "--set", "logLevel=debug"];
  await keywayDone("server", "install", ...at, ...choice, "--dry-run");
  expect(await names()).toEqual(before);
  await keywayDone("server", "install", ...at, ...choice, "--no-wait");
  const again = await keywayDone("server", "install", ...at, ...choice, "--no-wait", "-o", "json");
  const outcomes: { object: string; outcome: string }[] = JSON.parse(again.out).outcomes;
  expect(outcomes.filter(({ outcome }) => outcome !== "unchanged")).toEqual([]);
  expect((await keywayDone("server", "upgrade", ...at, "--replicas", "3", "--diff")).out).toMatch(/^\+ +replicas: 3$/m);
  expect(await keyway("server", "status", ...at)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/0 of 2 servers answer/),
  });
  await keywayDone("server", "uninstall", ...at);
  expect(await names()).toEqual(before);
});
