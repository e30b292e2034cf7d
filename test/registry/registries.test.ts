// What registries in use do differently from the reference, each on a double that does just that.
import { expect, test } from "vitest";
import { Secret } from "../../installer/cli/secret.ts";
import type { Credentials } from "../../installer/registry/auth.ts";
import { imageOf } from "../../installer/registry/image.ts";
import { type Asked, type Double, type Given, type Oddity, startDouble } from "./double.ts";
import { IMAGE, MODULE, trial } from "./trial.ts";

const alice: Credentials = { kind: "basic", username: "alice", password: new Secret("open sesame") };

/** Publishes to `team/keyway:1.0` of a double with this oddity. */
async function publishTo(odd: Oddity, then?: (double: Double) => Promise<void>, credentials?: Credentials) {
  const double = await startDouble(odd);
  try {
    const attempt = trial(double.host, "team/keyway", credentials);
    await attempt.publish("1.0");
    await then?.(double);
    return { ...attempt, ...double };
  } finally {
    await double.stop();
  }
}

const tagged = ({ stored }: Double) => stored.get("team/keyway:1.0")?.toString();

const isHead = ({ method }: Asked) => method === "HEAD";

test.each([200, 201, 202, 204])("an upload and a manifest that are answered by %i are stored", async (status) => {
  const statuses: Oddity = (asked, { stored }) => {
    if (asked.method !== "PUT") return undefined;
    // The double stores only where it answers by itself, so what is sent is taken from the image.
    const image = { [IMAGE.config.digest]: IMAGE.config, [IMAGE.layer.digest]: IMAGE.layer };
    const blob = image[asked.url.searchParams.get("digest") ?? ""] ?? IMAGE.manifest;
    stored.set(`team/keyway@${blob.digest}`, Buffer.from(blob.bytes));
    if (asked.path.endsWith("/1.0")) stored.set("team/keyway:1.0", Buffer.from(blob.bytes));
    return { status };
  };
  const done = await publishTo(statuses);
  expect(tagged(done)).toBe(Buffer.from(IMAGE.manifest.bytes).toString());
});

test.each<[string, Oddity]>([
  ["is not allowed", (asked) => (isHead(asked) ? { status: 405 } : undefined)],
  ["is refused as a bad request", (asked) => (isHead(asked) ? { status: 400 } : undefined)],
  ["is forbidden", (asked) => (isHead(asked) ? { status: 403 } : undefined)],
  [
    "leads to a storage that lets nobody ask",
    (asked) =>
      asked.path === "/storage"
        ? { status: 403 }
        : isHead(asked)
          ? { status: 307, headers: { location: "/storage" } }
          : undefined,
  ],
])("where HEAD %s the blob is pushed", async (_, odd) => {
  const done = await publishTo(odd);
  expect(done.told.slice(0, 2)).toEqual(["config 163 B: pushed", "module 2.0 KiB: pushed"]);
  expect(tagged(done)).toBe(Buffer.from(IMAGE.manifest.bytes).toString());
});

/** Tags that can't be set twice, as such a registry answers: whatever they name. */
const immutable =
  (answer: Given): Oddity =>
  ({ method, path }, { stored }) =>
    method === "PUT" && path.includes("/manifests/") && stored.has(path.replace(/^\/v2\/(.*)\/manifests\//, "$1:"))
      ? answer
      : undefined;

test.each<[string, Given]>([
  ["400 ImageTagAlreadyExists", { status: 400 }],
  ["409 Conflict", { status: 409 }],
  ["412 Precondition Failed", { status: 412 }],
  ["403 Forbidden", { status: 403 }],
])("the same image again under an immutable tag is there already (%s)", async (_, answer) => {
  await publishTo(immutable(answer), async ({ host }) => {
    await trial(host).publish("1.0");
    const other = imageOf(MODULE, { version: "2.0" });
    await expect(trial(host).publish("1.0", other)).rejects.toThrow(/refuses to let us push|lets nobody push/);
  });
});

/** Asks for a token with that scope, and lets in who holds one that allows it. */
function withTokens(scope: string | undefined, refusal: number): { odd: Oddity; scopes: string[] } {
  const scopes: string[] = [];
  const odd: Oddity = (asked, { host }) => {
    if (asked.path === "/token") {
      const wanted = asked.url.searchParams.getAll("scope").join(" ");
      scopes.push(wanted);
      return { status: 200, body: JSON.stringify({ token: Buffer.from(wanted).toString("base64url") }) };
    }
    const held = Buffer.from(asked.authorization?.replace("Bearer ", "") ?? "", "base64url").toString();
    const allowed = isRead(asked) ? /pull/.test(held) : /push/.test(held);
    if (allowed) return undefined;
    const challenge = `Bearer realm="http://${host}/token",service="double"${scope === undefined ? "" : `,scope="${scope}"`}`;
    return held === "" ? { status: 401, headers: { "www-authenticate": challenge } } : { status: refusal };
  };
  return { odd, scopes };
}

const isRead = ({ method }: Asked): boolean => method === "HEAD" || method === "GET";

test.each<[string, string | undefined, number]>([
  ["only the right to pull", "repository:team/keyway:pull", 401],
  ["only the right to pull, and forbids the push", "repository:team/keyway:pull", 403],
  ["no right at all", undefined, 403],
])("a push asks for the right to push where the challenge names %s", async (_, scope, refusal) => {
  const { odd, scopes } = withTokens(scope, refusal);
  const done = await publishTo(odd, undefined, alice);
  expect(tagged(done)).toBeDefined();
  expect(scopes).toEqual(["repository:team/keyway:pull,push"]);
});

test("a token service that is busy is asked again", async () => {
  const { odd, scopes } = withTokens("repository:team/keyway:pull", 403);
  let busy = 2;
  const done = await publishTo(
    (asked, double) =>
      asked.path === "/token" && busy-- > 0 ? { status: 429, headers: { "retry-after": "3" } } : odd(asked, double),
    undefined,
    alice,
  );
  expect(done.waits).toEqual([3000, 3000]);
  expect(scopes).toHaveLength(1);
});

test("a storage that a registry leads to, and that lets nobody in, is named", async () => {
  const storage = await startDouble(() => ({ status: 403 }));
  try {
    const odd: Oddity = ({ method, path }) =>
      method === "GET" && path.includes("/blobs/")
        ? { status: 307, headers: { location: `http://${storage.host}/blob` } }
        : undefined;
    await expect(publishTo(odd, undefined, alice)).rejects.toThrow(
      new RegExp(`^${storage.host}, to which 127.0.0.1:\\d+ leads, answers 403; a login belongs to`),
    );
  } finally {
    await storage.stop();
  }
});

/** A registry whose token service answers with this body. */
const tokenService =
  (body: string): Oddity =>
  ({ path, host, authorization }) => {
    if (path === "/token") return { status: 200, body };
    if (authorization !== undefined) return undefined;
    return { status: 401, headers: { "www-authenticate": `Bearer realm="http://${host}/token"` } };
  };

test.each(['{"token":"not\\na header"}', '{"token":7}', '{"token":""}', "null", "<html>"])(
  "a token service that answers %s gives no token",
  async (body) => {
    await expect(publishTo(tokenService(body))).rejects.toThrow(/^the token service answers 200 and no token$/);
  },
);

test("a token that no header can carry is not sent, and not printed", async () => {
  const token: Credentials = { kind: "bearer", token: new Secret("open\nsesame") };
  const failed = await publishTo(tokenService("{}"), undefined, token).catch((thrown: Error) => thrown);
  expect(String(failed)).toMatch(/the registry's token can't be sent/);
  expect(String(failed)).not.toContain("sesame");
});
