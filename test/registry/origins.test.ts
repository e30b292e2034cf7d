// Who gets to see credentials: the registry itself and the token service that it names, and only when they ask.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pinModule } from "../../installer/check/module.ts";
import { Secret } from "../../installer/cli/secret.ts";
import type { Credentials } from "../../installer/registry/auth.ts";
import { runCli } from "../cli/run.ts";
import { type Double, type Oddity, startDouble } from "./double.ts";
import { IMAGE, MODULE, trial } from "./trial.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyway-origins-"));
  await writeFile(join(folder, "keyway.wasm"), MODULE);
});
afterAll(() => rm(folder, { recursive: true }));

const TOKEN = "token-of-the-pipeline";
const kinds: Credentials[] = [
  { kind: "basic", username: "alice", password: new Secret("open sesame") },
  { kind: "identity", token: new Secret("refresh-me") },
  { kind: "bearer", token: new Secret(TOKEN) },
];

/** Answers every request with a challenge, and names itself as the token service. */
const thief: Oddity = ({ path }, { host }) =>
  path === "/token"
    ? { status: 200, body: '{"token": "stolen"}' }
    : { status: 401, headers: { "www-authenticate": `Bearer realm="http://${host}/token", Basic realm="thief"` } };

type Leading = (where: string) => Oddity;

/** The ways in which a registry sends its clients elsewhere. */
const ways: [string, Leading][] = [
  [
    "a blob's redirect",
    (to) =>
      ({ method, path }) =>
        method === "GET" && /\/blobs\//.test(path) ? away(to) : undefined,
  ],
  [
    "a manifest's redirect",
    (to) =>
      ({ method, path }) =>
        method === "GET" && /\/manifests\//.test(path) ? away(to) : undefined,
  ],
  [
    "an upload's location",
    (to) =>
      ({ method }) =>
        method === "POST" ? { ...away(to), status: 202 } : undefined,
  ],
  [
    "an upload's redirect",
    (to) =>
      ({ method }) =>
        method === "POST" ? away(to) : undefined,
  ],
  [
    "a HEAD's redirect",
    (to) =>
      ({ method }) =>
        method === "HEAD" ? away(to) : undefined,
  ],
];
const away = (to: string) => ({ status: 307, headers: { location: `http://${to}/elsewhere` } });

async function withBoth<T>(leading: Leading, use: (registry: Double, other: Double) => Promise<T>): Promise<T> {
  const other = await startDouble(thief);
  const registry = await startDouble(leading(other.host));
  try {
    return await use(registry, other);
  } finally {
    await Promise.all([registry.stop(), other.stop()]);
  }
}

for (const credentials of kinds) {
  test.each(ways)(
    `%s shows no ${credentials.kind} credentials to another host that asks for them`,
    async (_, leading) => {
      await withBoth(leading, async (registry, other) => {
        await trial(registry.host, "team/keyway", credentials)
          .publish("1.0")
          .catch(() => {});
        expect(other.asked.length).toBeGreaterThan(0);
        expect(other.asked.filter(({ path }) => path === "/token")).toEqual([]);
        expect(other.asked.map(({ authorization }) => authorization)).toEqual(other.asked.map(() => undefined));
      });
    },
  );
}

test("the refusal of another host is not taken for one of the credentials", async () => {
  await withBoth(ways[2]?.[1] as Leading, async (registry, other) => {
    await expect(trial(registry.host, "team/keyway", kinds[0]).publish("1.0")).rejects.toThrow(
      `${other.host}, to which ${registry.host} leads, answers 401; a login belongs to ${registry.host} alone and was not sent there`,
    );
  });
});

/** Lets in who sends the token; its token service knows nobody. */
const guarded: Oddity = ({ path, authorization }, { host }) =>
  path === "/token" || authorization !== `Bearer ${TOKEN}`
    ? { status: 401, headers: { "www-authenticate": `Bearer realm="http://${host}/token",service="double"` } }
    : undefined;

async function publishTo(host: string, env: Record<string, string>) {
  const url = `oci://${host}/team/keyway:1.0`;
  return runCli(["publish", "--insecure", "--module", join(folder, "keyway.wasm"), url], {
    env: { HOME: folder, ...env },
  });
}

test("the token of the environment is sent to the registry of the URL, once that has asked", async () => {
  const registry = await startDouble(guarded);
  const { code, err } = await publishTo(registry.host, { KEYWAY_REGISTRY_TOKEN: TOKEN });
  await registry.stop();
  expect(code, err).toBe(0);
  expect(registry.asked[0]?.authorization).toBeUndefined();
});

test("a registry that does not ask never sees the token", async () => {
  const registry = await startDouble();
  const { code } = await publishTo(registry.host, { KEYWAY_REGISTRY_TOKEN: TOKEN });
  await registry.stop();
  expect(code).toBe(0);
  expect(registry.asked.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
});

test.each([
  ["KEYWAY_REGISTRY_TOKEN", { KEYWAY_REGISTRY_TOKEN: TOKEN }],
  ["KEYWAY_REGISTRY_PASSWORD", { KEYWAY_REGISTRY_USERNAME: "alice", KEYWAY_REGISTRY_PASSWORD: TOKEN }],
])("%s is for the host that KEYWAY_REGISTRY_HOST names", async (name, env) => {
  const registry = await startDouble(thief);
  const { code, err } = await publishTo(registry.host, { ...env, KEYWAY_REGISTRY_HOST: "registry.example.com" });
  await registry.stop();
  expect(code).toBe(1);
  expect(err).toContain("wants a login to push to team/keyway");
  expect(err).toContain(`${name} is for registry.example.com alone, as KEYWAY_REGISTRY_HOST says`);
  const sent = registry.asked.map(({ authorization }) => authorization).filter((one) => one !== undefined);
  expect(sent.filter((one) => one !== "Bearer stolen")).toEqual([]);
});

test("a URL that the cluster names gets the token only where KEYWAY_REGISTRY_HOST says so", async () => {
  const registry = await startDouble(guarded);
  registry.stored.set("team/keyway:1.0", Buffer.from(IMAGE.manifest.bytes));
  const url = `oci://${registry.host}/team/keyway:1.0`;
  const pin = (env: Record<string, string>, module?: string) =>
    pinModule(
      url,
      { insecure: true, ...(module !== undefined && { module }) },
      {
        out: { write() {} },
        err: { write() {} },
        in: [],
        env: { HOME: folder, KEYWAY_REGISTRY_TOKEN: TOKEN, ...env },
        signal: new AbortController().signal,
      },
    );
  try {
    const refusal = await pin({}).catch((thrown) => thrown);
    expect(refusal.message).toContain("the token service wants a login");
    expect(refusal.next).toBe(
      `KEYWAY_REGISTRY_TOKEN is not sent to a host that only the cluster names; if it is for ${registry.host}, set KEYWAY_REGISTRY_HOST=${registry.host}`,
    );
    expect(registry.asked.every(({ authorization }) => authorization === undefined)).toBe(true);
    const pinned = `oci://${registry.host}/team/keyway@${IMAGE.manifest.digest}`;
    expect(await pin({}, url)).toBe(pinned);
    expect(await pin({ KEYWAY_REGISTRY_HOST: registry.host })).toBe(pinned);
  } finally {
    await registry.stop();
  }
});

test("credentials that do not fit what the registry offers are not called refused", async () => {
  const registry = await startDouble(() => ({ status: 401, headers: { "www-authenticate": 'Basic realm="x"' } }));
  const { err } = await publishTo(registry.host, { KEYWAY_REGISTRY_TOKEN: TOKEN });
  await registry.stop();
  expect(err).toContain("without asking for a login that the credentials of the token are for, so they were not sent");
  expect(err).toContain("set KEYWAY_REGISTRY_USERNAME and KEYWAY_REGISTRY_PASSWORD instead");
});
