// `keyway sandbox create`.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectGolden, transcript } from "../cli/run.ts";
import { noRights, noSuchPath } from "../double/faults.ts";
import type { Stored } from "../double/store.ts";
import { workload } from "../forks/objects.ts";
import { IN_FORCE, startSandboxes, there } from "./bed.ts";

const FORK = ["--fork", "Deployment/reviews", "--image", "registry.example/reviews:pr-42"];

describe("what the flags stand for", () => {
  test.each<[string, string[], object]>([
    [
      "a fork of a workload of one container",
      FORK,
      {
        forks: [
          { workload: "Deployment/reviews", containers: [{ name: "app", image: "registry.example/reviews:pr-42" }] },
        ],
      },
    ],
    ["a fork as it is", ["--fork", "Deployment/reviews"], { forks: [{ workload: "Deployment/reviews" }] }],
    [
      "two forks, each with its own",
      [
        ...[
          "--fork",
          "Deployment/reviews",
          "--container",
          "app",
          "--image",
          "a:1",
          "--env",
          "A=b=c",
          "--env",
          "E=",
          "--container",
          "migrate",
          "--image",
          "m:1",
        ],
        ...["--replicas", "2", "--fork", "StatefulSet/ledger", "--follow", "--container", "app", "--image", "l:1"],
      ],
      {
        forks: [
          {
            workload: "Deployment/reviews",
            replicas: 2,
            containers: [
              {
                name: "app",
                image: "a:1",
                env: [
                  { name: "A", value: "b=c" },
                  { name: "E", value: "" },
                ],
              },
              { name: "migrate", image: "m:1" },
            ],
          },
          { workload: "StatefulSet/ledger", follow: true, containers: [{ name: "app", image: "l:1" }] },
        ],
      },
    ],
    [
      "routes",
      ["--route", "reviews:9080=reviews-pr-42", "--route", "ratings.shop=ratings@v2"],
      {
        routes: [
          { service: "reviews:9080", to: "reviews-pr-42" },
          { service: "ratings.shop", to: { service: "ratings", subset: "v2" } },
        ],
      },
    ],
    [
      "key, ttl and others",
      ["--key", "PR/42", "--ttl", "2h", "--include", "team=checkout", "--include", "stage=dev"],
      { key: "PR/42", ttl: "2h", include: { matchLabels: { team: "checkout", stage: "dev" } } },
    ],
    [
      "a date",
      ["--route", "a=b", "--expires", "2999-01-01T00:00:00Z"],
      { routes: [{ service: "a", to: "b" }], expires: "2999-01-01T00:00:00Z" },
    ],
  ])("%s", async (_, flags, spec) => {
    const { sandbox, find } = await startSandboxes();
    const { code, err } = await sandbox("create", "pr-42", ...flags);
    expect([code, err]).toEqual([0, expect.stringContaining("--wait waits for it")]);
    expect(find()).toMatchObject({ metadata: { labels: { "app.kubernetes.io/managed-by": "keyway" } } });
    expect(find()?.spec).toEqual(spec);
  });

  test("labels are the Sandbox's", async () => {
    const { sandbox, find } = await startSandboxes();
    await sandbox("create", "pr-42", ...FORK, "--label", "team=checkout");
    expect(find()?.metadata.labels).toMatchObject({ team: "checkout" });
  });

  test("the container is the one that the workload names for those who name none", async () => {
    const { api, sandbox, find } = await startSandboxes();
    const containers = ["istio-proxy", "app", "helper"].map((name) => ({ name }));
    const template = (annotations = {}) => ({
      metadata: { labels: { app: "reviews", version: "v1" }, annotations },
      spec: { containers },
    });
    api.put(workload("Deployment", "reviews", { template: template() }) as Stored);
    const unclear = await sandbox("create", "pr-42", ...FORK);
    expect([unclear.code, unclear.err]).toEqual([
      1,
      expect.stringMatching(/which container of Deployment\/reviews\? It has app, helper[\s\S]*--container app/),
    ]);
    api.put(
      workload("Deployment", "reviews", {
        template: template({ "kubectl.kubernetes.io/default-container": "helper" }),
      }) as Stored,
    );
    await sandbox("create", "pr-42", ...FORK);
    expect(find()?.spec.forks?.[0]?.containers?.[0]?.name).toBe("helper");
  });
});

describe("created twice", () => {
  test("it is changed, or nothing is", async () => {
    const { sandbox, find } = await startSandboxes();
    const create = async (...flags: string[]) =>
      JSON.parse((await sandbox("create", "pr-42", ...flags, "-o", "json")).out).outcome;
    expect(await create(...FORK, "--ttl", "2h")).toBe("created");
    expect(await create(...FORK, "--ttl", "2h")).toBe("unchanged");
    expect(await create("--route", "a=b")).toBe("changed");
    expect(find()?.spec).toEqual({ routes: [{ service: "a", to: "b" }] });
  });

  test("a ttl counts from now on, however old the Sandbox is", async () => {
    const { put, sandbox, find } = await startSandboxes();
    const creationTimestamp = new Date(Date.now() - 90 * 60_000).toISOString();
    put("pr-42", { metadata: { name: "pr-42", namespace: "demo", creationTimestamp } });
    await sandbox("create", "pr-42", "--route", "a=b", "--ttl", "2h");
    expect(find()?.spec.ttl).toBe("3h30m");
  });

  test("fields that others have written are told, and taken back by choice", async () => {
    const { api, sandbox, find } = await startSandboxes();
    await sandbox("create", "pr-42", "--route", "a=b");
    api.edit("kubectl", { ...find(), spec: { key: "mine" } } as unknown as Stored);
    const refused = await sandbox("create", "pr-42", "--route", "a=b", "--key", "ours");
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("--force-conflicts")]);
    expect((await sandbox("create", "pr-42", "--route", "a=b", "--key", "ours", "--force-conflicts")).code).toBe(0);
    expect(find()?.spec.key).toBe("ours");
  });

  test("not while the first is being deleted", async () => {
    const { put, sandbox } = await startSandboxes();
    put("pr-42", { metadata: { name: "pr-42", namespace: "demo", deletionTimestamp: "2030-01-01T00:00:00Z" } });
    expect((await sandbox("create", "pr-42", "--route", "a=b")).err).toContain("keyway sandbox delete pr-42 --wait");
  });
});

test.each([["--dry-run"], ["--dry-run=client"], ["--diff"]])("%s changes nothing", async (flag) => {
  const { sandbox, find } = await startSandboxes();
  const { code, out } = await sandbox("create", "pr-42", "--route", "a=b", flag);
  expect([code, out, find()]).toEqual([
    0,
    expect.stringMatching(flag === "--diff" ? /\+ .*to: b/ : /created \(dry run\)/),
    undefined,
  ]);
});

describe("--wait", () => {
  test("until all proxies have it", async () => {
    const { sandbox, find, say } = await startSandboxes();
    const waiting = sandbox("create", "pr-42", ...FORK, "--wait", "-o", "json");
    await there(find);
    say([
      ["Accepted", "True"],
      ["Resolved", "False", "NotReady", "the copy of Deployment/reviews is not ready"],
      ["InForce", "False", "NoRoutes", "nothing yet"],
    ]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    say(IN_FORCE, { key: "pr-42", forks: [{ workload: "Deployment/reviews", ready: true }] });
    const { code, out, err } = await waiting;
    expect([code, err]).toEqual([0, "√ Sandbox demo/pr-42 is in force\n"]);
    expect(JSON.parse(out)).toMatchObject({
      name: "pr-42",
      key: "pr-42",
      outcome: "created",
      conditions: [{ type: "Accepted" }, { type: "Resolved" }, { type: "InForce", status: "True" }],
    });
  });

  test("not until the old word of a Sandbox that was changed", async () => {
    const { put, sandbox, say, find } = await startSandboxes();
    put("pr-42", { metadata: { name: "pr-42", namespace: "demo", generation: 2, uid: "u" } });
    say(IN_FORCE, { observedGeneration: 1 });
    const { code, err } = await sandbox("create", "pr-42", "--route", "a=b", "--wait=0.3");
    expect([code, err]).toEqual([1, expect.stringContaining("the controller has not looked at it")]);
    expect(find()?.spec.routes).toHaveLength(1);
  });

  test("a refusal ends it at once", async () => {
    const { sandbox, find, say } = await startSandboxes();
    const waiting = sandbox("create", "pr-42", "--route", "a=b", "--wait");
    await there(find);
    say([["Accepted", "False", "KeyTaken", "Sandbox demo/older has the key pr-42"]]);
    expect(await waiting).toMatchObject({
      code: 1,
      err: expect.stringContaining("is not accepted: Sandbox demo/older has the key pr-42 (KeyTaken)"),
    });
  });

  test("somebody who deletes it ends it at once", async () => {
    const { sandbox, find, gone } = await startSandboxes();
    const waiting = sandbox("create", "pr-42", "--route", "a=b", "--wait");
    await there(find);
    gone();
    expect(await waiting).toMatchObject({
      code: 1,
      err: expect.stringContaining("somebody has deleted Sandbox demo/pr-42 meanwhile"),
    });
  });

  test("the limit's end says what it has waited for, with the conditions for programs", async () => {
    const { sandbox, find, say } = await startSandboxes();
    const waiting = sandbox("create", "pr-42", ...FORK, "--wait=1", "-o", "json");
    await there(find);
    const message = "container app: no such image";
    say(
      [
        ["Accepted", "True"],
        ["Resolved", "False", "NotReady", "service reviews-pr-42 has no pod that is ready"],
        ["InForce", "False", "Waiting", "3 of 12 proxies"],
      ],
      { forks: [{ workload: "Deployment/reviews", ready: false, reason: "ImagePullBackOff", message }] },
    );
    const { code, out, err } = await waiting;
    expect([code, JSON.parse(out).conditions]).toEqual([
      1,
      expect.arrayContaining([expect.objectContaining({ reason: "Waiting" })]),
    ]);
    await expectGolden("sandbox-wait-limit", err);
  });

  test("words instead of seconds are told", async () => {
    const { sandbox } = await startSandboxes();
    expect(await sandbox("create", "--wait", "pr-42", "--route", "a=b")).toMatchObject({
      code: 2,
      err: expect.stringContaining("behind the name"),
    });
  });
});

describe("--link", () => {
  const links = async (...flags: string[]) => {
    const { sandbox } = await startSandboxes();
    const { out, err } = await sandbox(
      "create",
      "pr-42",
      "--route",
      "a=b",
      "--link",
      "https://shop.example/cart?a=1",
      ...flags,
      "-o",
      "json",
    );
    return { links: JSON.parse(out).links, err };
  };
  test.each([
    [["--keys", "host:.preview.shop.example"], ["https://pr-42.preview.shop.example/cart?a=1"]],
    [["--keys", "header:x-key", "--keys", "query:preview"], ["https://shop.example/cart?a=1&preview=pr-42"]],
    [["--keys", "mirrord", "--key", "a/b"], ["https://shop.example/cart?a=1&mirrord-session=a%2Fb"]],
  ])("%j", async (flags, expected) => {
    expect((await links(...flags)).links).toEqual(expected);
  });
  test("where no link can carry the key, what to send instead", async () => {
    const { links: none, err } = await links();
    expect([none, err]).toEqual([
      [],
      expect.stringContaining("curl -H 'x-routing-key: pr-42' https://shop.example/cart?a=1"),
    ]);
    expect((await links("--keys", "host:.preview.shop.example", "--key", "a/b")).links).toEqual([]);
  });
  test("by the keys of a route file", async () => {
    const { sandbox, folder } = await startSandboxes();
    const file = join(folder, "routes.yaml");
    await writeFile(file, "keys: [header:x-key, 'host:.preview.shop.example']\nroutes: []\n");
    const { out } = await sandbox(
      "create",
      "pr-42",
      "--route",
      "a=b",
      "--link",
      "http://shop.example:8080",
      "-f",
      file,
    );
    expect(out).toContain("\nhttp://pr-42.preview.shop.example:8080/\n");
  });
  test("by the links of a route file", async () => {
    const { sandbox, folder } = await startSandboxes();
    const file = join(folder, "routes.yaml");
    await writeFile(file, "link: {query: preview}\nroutes: []\n");
    const flags = ["--route", "a=b", "--link", "https://shop.example/cart?a=1", "-f", file];
    const { out } = await sandbox("create", "pr-42", ...flags);
    expect(out).toContain("\nhttps://shop.example/cart?a=1&preview=pr-42\n");
  });
  test("where the edge takes signed keys alone, how to get one", async () => {
    const { sandbox, folder } = await startSandboxes();
    const file = join(folder, "routes.yaml");
    const secret = Buffer.alloc(32, 1).toString("base64");
    await writeFile(file, `link: true\nedge: {accept: signed, keys: [{id: a, secret: "${secret}"}]}\nroutes: []\n`);
    const { out, err } = await sandbox(
      "create",
      "pr-42",
      "--route",
      "a=b",
      "--link",
      "https://shop.example",
      "-f",
      file,
    );
    expect([out.includes("https://"), err]).toEqual([false, expect.stringContaining("keyway key sign pr-42")]);
  });
});

describe("refused", () => {
  test.each([
    ["without anything", [], 2],
    ["with an image of nothing", ["--image", "i:1", "--fork", "Deployment/reviews"], 2],
    ["with a workload of another kind", ["--fork", "DaemonSet/agent"], 2],
    ["with two images for one container", [...FORK, "--image", "i:2"], 2],
    ["with a container behind its image", [...FORK, "--container", "app"], 2],
    ["with a variable that is none", ["--fork", "Deployment/reviews", "--env", "=b"], 2],
    ["with a route that is none", ["--route", "reviews"], 2],
    ["with a key that is none", ["--route", "a=b", "--key", "a b"], 2],
    ["with a ttl that is none", ["--route", "a=b", "--ttl", "soon"], 2],
    ["with two routes for one service", ["--route", "a=b", "--route", "a=c"], 2],
    ["with a workload that is not there", ["--fork", "Deployment/revews", "--image", "i:1"], 1],
  ] as const)("%s", async (name, flags, code) => {
    const { sandbox, find } = await startSandboxes();
    const run = await sandbox("create", "pr-42", ...flags);
    expect([run.code, find()]).toEqual([code, undefined]);
    await expectGolden(`sandbox-create-${name.replaceAll(" ", "-")}`, run.err);
  });

  test("by a name that is none", async () => {
    const { sandbox } = await startSandboxes();
    for (const name of ["PR_42", "x".repeat(64)]) {
      expect(await sandbox("create", name, "--route", "a=b")).toMatchObject({
        code: 2,
        err: expect.stringContaining("can't be the name of a Sandbox"),
      });
    }
  });

  test("by a cluster without the kind, and by one that grants no right", async () => {
    const { api, sandbox } = await startSandboxes();
    api.faults.add(
      /^PATCH .*sandboxes/,
      noRights(
        `sandboxes.keyway.dev "pr-42" is forbidden: User "ci" cannot patch resource "sandboxes" in API group "keyway.dev"`,
      ),
    );
    expect((await sandbox("create", "pr-42", "--route", "a=b")).err).toContain("kubectl create role");
    api.faults.add(/^GET \/apis\/keyway\.dev/, noSuchPath, 10);
    expect((await sandbox("create", "pr-42", "--route", "a=b")).err).toContain("keyway render crds");
  });
});

test("what people see", async () => {
  const { sandbox, say } = await startSandboxes();
  await expectGolden(
    "sandbox-create",
    transcript(
      await sandbox(
        "create",
        "pr-42",
        ...FORK,
        "--link",
        "https://shop.example",
        "--keys",
        "host:.preview.shop.example",
      ),
    ),
  );
  await expectGolden(
    "sandbox-create-diff",
    transcript(await sandbox("create", "pr-42", ...FORK, "--env", "A=b", "--diff")),
  );
  say(IN_FORCE, {
    key: "pr-42",
    routes: [{ service: "reviews.demo", to: "reviews-pr-42.demo", from: "fork Deployment/reviews" }],
    forks: [{ workload: "Deployment/reviews", ready: true }],
  });
  await expectGolden("sandbox-create-wait", transcript(await sandbox("create", "pr-42", ...FORK, "--wait")));
});
