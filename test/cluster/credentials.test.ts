// How a user of a kubeconfig shows who they are.
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Cluster } from "../../shared/cluster/cluster.ts";
import { unauthorized } from "../double/faults.ts";
import { kubeconfig } from "../double/kubeconfig.ts";
import { certificate } from "../double/tls.ts";
import { connect, fileWith, scratch, server } from "./connect.ts";

const options = { signal: new AbortController().signal, fieldManager: "tester", rightsHint: "ask for rights" };

/** The headers that the API server gets from this user. */
async function headersOf(user: object) {
  const api = await server();
  await (await connect(api, { user })).serverVersion();
  return api.lastHeaders;
}

test.each([
  ["a token", { token: "t" }, "Bearer t"],
  [
    "a name and password",
    { username: "me", password: "secret:x" },
    `Basic ${Buffer.from("me:secret:x").toString("base64")}`,
  ],
  ["nothing", {}, undefined],
])("%s", async (_, user, authorization) => {
  expect((await headersOf(user)).authorization).toBe(authorization);
});

test("a token file is read again for each request, and wins over a token", async () => {
  const tokenFile = await fileWith("first\n");
  const api = await server();
  const cluster = await connect(api, { user: { tokenFile, token: "old" } });
  await cluster.serverVersion();
  expect(api.lastHeaders.authorization).toBe("Bearer first");
  await writeFile(tokenFile, "second\n");
  await cluster.serverVersion();
  expect(api.lastHeaders.authorization).toBe("Bearer second");
});

test("somebody who acts for another, in groups", async () => {
  const user = {
    token: "t",
    as: "jane",
    "as-uid": "7",
    "as-groups": ["dev", "ops"],
    "as-user-extra": { "a/b": ["c"] },
  };
  expect(await headersOf(user)).toMatchObject({
    "impersonate-user": "jane",
    "impersonate-uid": "7",
    "impersonate-group": "dev, ops",
    "impersonate-extra-a%2fb": "c",
  });
});

describe("the identity token that kubectl keeps", () => {
  const token = (exp: number) => `e30.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.x`;
  test("is sent while it holds", async () => {
    const held = token(4_000_000_000);
    const user = { "auth-provider": { name: "oidc", config: { "id-token": held } } };
    expect((await headersOf(user)).authorization).toBe(`Bearer ${held}`);
  });
  test("is told when it is over, as is a provider that kubectl does not know any more", async () => {
    const over = { "auth-provider": { name: "oidc", config: { "id-token": token(1000) } } };
    await expect(headersOf(over)).rejects.toMatchObject({ next: expect.stringContaining("kubectl get namespaces") });
    await expect(headersOf({ "auth-provider": { name: "gcp" } })).rejects.toThrow("gcp");
  });
});

describe("a credential plugin", () => {
  /** A kubeconfig whose user asks a script that stands beside it. */
  async function withPlugin(script: string, exec: object = {}) {
    const folder = await scratch();
    await mkdir(join(folder, "bin"));
    await writeFile(join(folder, "bin", "login"), `#!/bin/sh\ncd "$(dirname "$0")"\n${script}\n`);
    await chmod(join(folder, "bin", "login"), 0o755);
    const api = await server({ tls: true });
    const user = { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "bin/login", ...exec } };
    const extensions = [{ name: "client.authentication.k8s.io/exec", extension: { audience: "x" } }];
    const file = join(folder, "config");
    await writeFile(file, kubeconfig(api, user, { extensions }));
    return { api, folder, cluster: await Cluster.connect({ kubeconfig: file }, { PATH: process.env.PATH }, options) };
  }

  test("is run once, beside the kubeconfig, with its arguments, its environment and what it may know of the cluster", async () => {
    const { api, folder, cluster } = await withPlugin(
      `echo "$KUBERNETES_EXEC_INFO" > info; echo run >> runs; echo "{\\"status\\": {\\"token\\": \\"$1-$SECRET\\"}}"`,
      { args: ["arg"], env: [{ name: "SECRET", value: "env" }], provideClusterInfo: true, interactiveMode: "Never" },
    );
    await cluster.serverVersion();
    await cluster.serverVersion();
    expect(api.lastHeaders.authorization).toBe("Bearer arg-env");
    expect(await readFile(join(folder, "bin", "runs"), "utf8")).toBe("run\n");
    expect(JSON.parse(await readFile(join(folder, "bin", "info"), "utf8"))).toEqual({
      apiVersion: "client.authentication.k8s.io/v1",
      kind: "ExecCredential",
      spec: {
        interactive: false,
        cluster: {
          server: api.url,
          "certificate-authority-data": Buffer.from(certificate.cert).toString("base64"),
          config: { audience: "x" },
        },
      },
    });
  });

  test("is asked again when its token is over, or refused", async () => {
    const { api, folder, cluster } = await withPlugin(
      `echo run >> runs; echo "{\\"status\\": {\\"token\\": \\"t$(wc -l < runs)\\", \\"expirationTimestamp\\": \\"$(cat until)\\"}}"`,
    );
    await writeFile(join(folder, "bin", "until"), "2000-01-01T00:00:00Z");
    await cluster.serverVersion();
    await writeFile(join(folder, "bin", "until"), "2100-01-01T00:00:00Z");
    await cluster.serverVersion();
    const { authorization } = api.lastHeaders;
    await cluster.serverVersion();
    expect(api.lastHeaders.authorization).toBe(authorization);
    api.faults.add(/version/, unauthorized);
    await cluster.serverVersion();
    expect(api.lastHeaders.authorization).not.toBe(authorization);
  });

  test.each([
    ["fails", "echo no ticket >&2; exit 3", {}, /exit code 3: no ticket/],
    ["prints something else", "echo hello", {}, /printed no ExecCredential/],
    ["wants a person", "", { interactiveMode: "Always" }, /standard input is no terminal/],
    ["is not there", "", { command: "keyway-no-such-plugin", installHint: "install it" }, /is not there/],
  ])("that %s is told", async (_, script, exec, message) => {
    const { cluster } = await withPlugin(script, exec);
    await expect(cluster.serverVersion()).rejects.toThrow(message);
  });

  test("that hangs ends when the person interrupts", async () => {
    const stop = new AbortController();
    const { cluster } = await withPlugin("exec sleep 60");
    const asked = cluster.withSignal(stop.signal).serverVersion();
    setTimeout(() => stop.abort(new Error("interrupted")), 50);
    await expect(asked).rejects.toThrow("interrupted");
  });
});
