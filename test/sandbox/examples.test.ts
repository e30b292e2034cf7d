// The examples of previews from CI: their scripts run here, with a forge that only writes down what it is told.
import { spawn } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { IN_FORCE, startSandboxes, there } from "./bed.ts";

const read = async (name: string) =>
  parse(await readFile(new URL(`../../docs/examples/${name}`, import.meta.url), "utf8"));
const github = await read("github-preview.yaml");
const gitlab = await read("gitlab-preview.yml");

interface Step {
  name?: string;
  uses?: string;
  run?: string;
}
const steps: Step[] = github.jobs.preview.steps;
const step = (name: string) => steps.find((one) => one.name?.startsWith(name))?.run ?? "";

const SCRIPTS = {
  github: { create: step("Create"), remove: step("Delete") },
  gitlab: { create: gitlab.preview.script.join("\n"), remove: gitlab["stop-preview"].script.join("\n") },
};

async function startForge() {
  const bed = await startSandboxes();
  const bin = join(bed.folder, "bin");
  await mkdir(bin);
  const program = async (name: string, text: string) => {
    await writeFile(join(bin, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(bin, name), 0o755);
  };
  const main = fileURLToPath(new URL("../../installer/main.ts", import.meta.url));
  await program("keyway", `exec "${process.execPath}" "${main}" "$@"`);
  for (const forge of ["gh", "curl"]) await program(forge, "cp comment.md told.md");
  const run = (script: string) =>
    new Promise<number | null>((resolve, reject) => {
      const output = join(bed.folder, "output");
      const env = {
        PATH: `${bin}:${process.env.PATH}`,
        KUBECONFIG: bed.kubeconfig,
        SANDBOX: "pr-42",
        NAMESPACE: "demo",
        IMAGE: "registry.example/reviews:abc",
        NUMBER: "42",
        GITHUB_OUTPUT: output,
      };
      const child = spawn("bash", ["-e", "-c", script.replaceAll("--wait=300", "--wait=2")], {
        cwd: bed.folder,
        env,
        stdio: "ignore",
      });
      child.on("error", reject).on("exit", resolve);
    });
  const file = (name: string) => readFile(join(bed.folder, name), "utf8");
  return { ...bed, run, file };
}

describe.each(Object.entries(SCRIPTS))("%s", (forge, { create, remove }) => {
  test("a preview is created, its link is told, and it is deleted", async () => {
    const { run, find, say, file } = await startForge();
    const created = run(create);
    await there(find);
    say(IN_FORCE, { key: "pr-42", forks: [{ workload: "Deployment/reviews", ready: true }] });
    expect(await created).toBe(0);
    expect(find()?.spec).toEqual({
      ttl: "7d",
      forks: [{ workload: "Deployment/reviews", containers: [{ name: "app", image: "registry.example/reviews:abc" }] }],
    });
    expect(await file("told.md")).toBe("The preview is ready: https://pr-42.preview.shop.example/\n");
    const [name, word] = forge === "github" ? ["output", "url"] : ["preview.env", "PREVIEW_URL"];
    expect(await file(name)).toBe(`${word}=https://pr-42.preview.shop.example/\n`);
    expect(await run(remove)).toBe(0);
    expect(find()).toBeUndefined();
    expect(await run(remove)).toBe(0);
  });

  test("one that does not come is told with the reasons, and fails", async () => {
    const { run, find, say, file } = await startForge();
    const created = run(create);
    await there(find);
    say([["Accepted", "False", "KeyTaken", "Sandbox demo/older has the key pr-42"]]);
    expect(await created).toBe(1);
    expect(await file("told.md")).toContain("Sandbox demo/older has the key pr-42");
  });
});

test("GitHub's uses nothing of others but the checkout, and acts on open and close", () => {
  expect(steps.flatMap(({ uses }) => uses ?? [])).toEqual(["actions/checkout@v4"]);
  expect(github.on.pull_request.types).toEqual(expect.arrayContaining(["opened", "synchronize", "closed"]));
});

test("GitLab's environment is stopped by the job that deletes", () => {
  expect(gitlab.preview.environment.on_stop).toBe("stop-preview");
  expect(gitlab["stop-preview"].environment).toMatchObject({ name: gitlab.preview.environment.name, action: "stop" });
});
