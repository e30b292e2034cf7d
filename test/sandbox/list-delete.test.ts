// `keyway sandbox list` and `delete`.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectGolden, runCli, transcript } from "../cli/run.ts";
import type { Stored } from "../double/store.ts";
import { IN_FORCE, startSandboxes } from "./bed.ts";

async function startWithThree() {
  const bed = await startSandboxes();
  const metadata = (name: string, labels = {}) => ({ name, namespace: "demo", labels, uid: `uid-of-${name}` });
  bed.put("pr-42", {
    metadata: metadata("pr-42", { team: "checkout" }),
    spec: { forks: [{ workload: "Deployment/reviews" }] },
  });
  bed.put("pr-7", { metadata: metadata("pr-7"), spec: { key: "seven", routes: [{ service: "a", to: "b" }] } });
  bed.put("new", { metadata: metadata("new", { team: "checkout" }), spec: { ttl: "2h" } });
  bed.say(IN_FORCE, {
    key: "pr-42",
    expires: "2999-01-01T00:00:00Z",
    routes: [{ service: "reviews", to: "reviews-pr-42", from: "fork Deployment/reviews" }],
    forks: [{ workload: "Deployment/reviews", ready: true }],
  });
  bed.say(
    [
      ["Accepted", "True"],
      ["Resolved", "False", "ServiceNotFound", "no service b"],
      ["InForce", "False", "Waiting", "0 of 2 proxies"],
    ],
    { key: "seven", routes: [] },
    "pr-7",
  );
  return bed;
}

describe("list", () => {
  test("what people see", async () => {
    const { sandbox, api, kubeconfig } = await startWithThree();
    await expectGolden("sandbox-list", transcript(await sandbox("list")));
    api.put({
      apiVersion: "keyway.dev/v1alpha1",
      kind: "Sandbox",
      metadata: { name: "far", namespace: "other" },
      spec: {},
    } as Stored);
    await expectGolden(
      "sandbox-list-all",
      transcript(await runCli(["sandbox", "list", "-A", "--kubeconfig", kubeconfig])),
    );
    await expectGolden("sandbox-list-none", transcript(await sandbox("list", "--label", "team=nobody")));
  });

  test("with the links that open them, as a route file has them", async () => {
    const { sandbox, folder } = await startWithThree();
    const file = join(folder, "routes.yaml");
    const flags = ["--link", "https://shop.example", "-f", file];
    await writeFile(file, "link: true\nroutes: []\n");
    const open = ["new", "pr-42", "seven"].map((key) => `https://shop.example/?keyway=${key}`);
    expect((await sandbox("list", ...flags)).out).toMatch(
      new RegExp(`\\n${open.join("\n")}\n$`.replaceAll("?", "\\?")),
    );
    const { sandboxes } = JSON.parse((await sandbox("list", ...flags, "-o", "json")).out);
    expect(sandboxes.map(({ links }: { links: string[] }) => links)).toEqual(open.map((url) => [url]));
    await writeFile(file, "edge: {accept: none}\nroutes: []\n");
    const { out, err } = await sandbox("list", ...flags);
    expect([out.includes("https://"), err]).toEqual([false, expect.stringContaining("takes no keys from outside")]);
  });

  test.each([
    [["--key", "seven"], ["pr-7"]],
    [["--key", "new"], ["new"]],
    [
      ["--label", "team=checkout"],
      ["new", "pr-42"],
    ],
    [["--label", "team", "--key", "pr-42"], ["pr-42"]],
    [[], ["new", "pr-42", "pr-7"]],
  ])("%j", async (flags, names) => {
    const { sandbox } = await startWithThree();
    const { out } = await sandbox("list", ...flags, "-o", "json");
    expect(JSON.parse(out).sandboxes.map(({ name }: { name: string }) => name)).toEqual(names);
  });
});

describe("delete", () => {
  test("by name, by key and by label", async () => {
    const { sandbox, find } = await startWithThree();
    expect((await sandbox("delete", "pr-42")).out).toContain("deleted");
    expect([find("pr-42"), find("pr-7") === undefined]).toEqual([undefined, false]);
    expect((await sandbox("delete", "--key", "seven")).code).toBe(0);
    expect(find("pr-7")).toBeUndefined();
    expect((await sandbox("delete", "--label", "team=checkout", "-o", "json")).out).toContain('"name": "new"');
    expect(find("new")).toBeUndefined();
  });

  test("what people see", async () => {
    const { sandbox } = await startWithThree();
    await expectGolden("sandbox-delete-unknown", transcript(await sandbox("delete", "pr-43", "pr-7")));
    await expectGolden("sandbox-delete-nothing", transcript(await sandbox("delete")));
    await expectGolden("sandbox-delete", transcript(await sandbox("delete", "pr-7", "--wait")));
    await expectGolden(
      "sandbox-delete-gone",
      transcript(await sandbox("delete", "pr-7", "--ignore-not-found", "--wait")),
    );
  });

  test("--dry-run deletes nothing", async () => {
    const { sandbox, find } = await startWithThree();
    for (const flag of ["--dry-run", "--dry-run=client"]) {
      expect((await sandbox("delete", "pr-7", flag)).out).toContain("deleted (dry run)");
    }
    expect(find("pr-7")).toBeDefined();
  });

  test("--wait ends when it is gone, and says after its limit what is still there", async () => {
    const { api, put, sandbox, gone, find } = await startWithThree();
    const finalizing = () =>
      api.faults.add(/^DELETE .*pr-42/, (_, response) => {
        put("pr-42", {
          ...find(),
          metadata: {
            ...find()?.metadata,
            name: "pr-42",
            namespace: "demo",
            finalizers: ["keyway.dev/forks"],
            deletionTimestamp: "2030-01-01T00:00:00Z",
          },
        });
        response.writeHead(200, { "content-type": "application/json" }).end("{}");
      });
    finalizing();
    const { code, err } = await sandbox("delete", "pr-42", "--wait=0.3");
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/after 0.3 s there is still Sandbox demo\/pr-42[\s\S]*see that the controller runs/),
    ]);
    finalizing();
    const waiting = sandbox("delete", "pr-42", "--wait");
    setTimeout(gone, 300);
    expect(await waiting).toMatchObject({ code: 0, err: expect.stringContaining("is gone, with all that it brought") });
  });
});
