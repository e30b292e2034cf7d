// What shells are offered.
import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { startSandboxes } from "../sandbox/bed.ts";
import { startRoutes } from "./routes.ts";
import { runCli } from "./run.ts";

/** The words that may stand in the place of the last one. */
async function offered(
  words: string[],
  env: Record<string, string> = { KEYWAY_SERVER: "127.0.0.1:1" },
): Promise<string[]> {
  const { code, out, err } = await runCli(["completion", "bash", "--", ...words], { env });
  expect([code, err]).toEqual([0, ""]);
  return out.split("\n").filter((line) => line !== "");
}

test.each([
  [["ro"], ["build", "check", "route", "serve"]],
  [
    ["route", ""],
    ["apply", "delete", "set", "watch"],
  ],
  [
    ["route", "set", "reviews", "--mi"],
    ["--missing", "--to", "--ttl", "--help"],
  ],
  [
    ["route", "set", "--missing", ""],
    ["fail", "baseline"],
  ],
  [
    ["route", "list", "-o", ""],
    ["table", "json", "yaml"],
  ],
  [
    ["route", "list", "--output="],
    ["--output=table", "--output=json"],
  ],
  [
    ["completion", ""],
    ["bash", "zsh", "fish"],
  ],
  [["route", "list", "-f", ""], [":files"]],
  [["install", "--kubeconfig", ""], [":files"]],
])("%j", async (words, some) => {
  expect(await offered(words)).toEqual(expect.arrayContaining(some));
});

test("nothing is offered for a value that can be anything, nor hidden flags", async () => {
  expect(await offered(["route", "set", "reviews", "--to", ""])).toEqual([]);
  expect(await offered(["route", "set", "-"])).not.toContain("--source");
});

describe("of live routes", () => {
  test("ids, keys, owners, labels and services are those of the server", async () => {
    const { url, put } = await startRoutes();
    await put("alice", { service: "reviews", key: "pr-42", to: "b", owner: "me", labels: { team: "a" } });
    await put("bob/1", { service: "ratings:80", key: "pr-7", to: "b" });
    const env = { KEYWAY_SERVER: url };
    expect(await offered(["route", "delete", ""], env)).toEqual(["alice", "bob/1"]);
    expect(await offered(["route", "renew", "alice", "b"], env)).toEqual(["bob/1"]);
    expect(await offered(["route", "list", "--key", "pr-"], env)).toEqual(["pr-42", "pr-7"]);
    expect(await offered(["route", "list", "--owner", ""], env)).toEqual(["me"]);
    expect(await offered(["route", "delete", "-l", ""], env)).toEqual(["team=a"]);
    expect(await offered(["route", "set", "r"], env)).toEqual(["reviews", "ratings:80"]);
    expect(await offered(["route", "delete", "--server", url, ""], {})).toEqual(["alice", "bob/1"]);
  });

  test("nothing is offered, and nothing said, where the server does not answer soon", async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const start = Date.now();
    expect(
      await offered(["route", "delete", ""], { KEYWAY_SERVER: `127.0.0.1:${(server.address() as AddressInfo).port}` }),
    ).toEqual([]);
    expect(Date.now() - start).toBeLessThan(10_000);
    expect(await offered(["route", "delete", ""])).toEqual([]);
    expect(await offered(["route", "delete", "--server", "ftp://x", ""])).toEqual([]);
  });
});

test("zsh and fish are told what a word means", async () => {
  const { url, put } = await startRoutes();
  await put("alice", { service: "reviews", key: "pr-42", to: "b" });
  const env = { KEYWAY_SERVER: url };
  expect((await runCli(["completion", "zsh", "--", "route", "delete", ""], { env })).out).toBe(
    "alice:pr-42 of reviews\n",
  );
  expect((await runCli(["completion", "fish", "--", "route", "re"], { env })).out).toContain(
    "renew\tlet routes live longer\n",
  );
});

test("bash takes the script, and completes with it", async () => {
  const { out } = await runCli(["completion", "bash"]);
  const keyway = `keyway() { [[ "$*" == "completion bash -- route s" ]] && printf 'set\\nshow\\nlist\\n'; }`;
  const typed = `COMP_WORDS=(keyway route s) COMP_CWORD=2; _keyway; echo "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", `${out}\n${keyway}\n${typed}`], {
    encoding: "utf8",
    env: { PATH: process.env.PATH },
  });
  expect([stdout, stderr]).toEqual(["set show\n", ""]);
});

test("a shell that there is not is wrong usage", async () => {
  expect((await runCli(["completion", "tcsh"])).code).toBe(2);
});

test("names and keys of Sandboxes are those of the namespace", async () => {
  const { put, kubeconfig } = await startSandboxes();
  put("pr-42", {});
  put("pr-7", { spec: { key: "seven" } });
  const place = ["--kubeconfig", kubeconfig, "-n", "demo"];
  expect(await offered(["sandbox", "delete", ...place, ""])).toEqual(["pr-42", "pr-7"]);
  expect(await offered(["sandbox", "create", ...place, "pr-4"])).toEqual(["pr-42"]);
  expect(await offered(["sandbox", "list", ...place, "--key", ""])).toEqual(["pr-42", "seven"]);
  expect(await offered(["sandbox", "list", "--kubeconfig", "/nowhere", "--key", ""])).toEqual([]);
});
