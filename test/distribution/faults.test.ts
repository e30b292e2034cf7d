import { afterAll, beforeAll, expect, test } from "vitest";
import { imageOf } from "../../installer/registry/image.ts";
import { KeywayError } from "../../shared/errors.ts";
import type { Server } from "../registry/listening.ts";
import { IMAGE, MODULE, type Trial, trial } from "../registry/trial.ts";
import { type Asked, type Fault, startFaulty } from "./faulty.ts";
import { startRegistry } from "./server.ts";

let registry: Server;
beforeAll(async () => {
  registry = await startRegistry();
}, 300_000);
afterAll(() => registry.stop());

interface Outcome extends Trial {
  error: KeywayError | undefined;
  /** What the tag names afterwards; undefined when it names nothing. */
  tagged: string | undefined;
  asked: string[];
}

let repositories = 0;

/** Publishes once through a registry with a fault, into a repository of its own unless said. */
async function publishWith(fault: (asked: Asked) => Fault, name = `faults/${repositories++}`): Promise<Outcome> {
  const faulty = await startFaulty(registry.host, fault);
  try {
    const attempt = trial(faulty.host, name);
    const error = await attempt.publish("1.0").then(
      () => undefined,
      (thrown) => thrown,
    );
    if (error !== undefined && !(error instanceof KeywayError)) throw error;
    const tag = await fetch(`http://${registry.host}/v2/${name}/manifests/1.0`, {
      headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
    });
    const tagged = tag.status === 200 ? (tag.headers.get("docker-content-digest") ?? "?") : undefined;
    return { ...attempt, error, tagged, asked: faulty.asked };
  } finally {
    await faulty.stop();
  }
}

const on = (method: string, part: string, fault: Fault) => (asked: Asked) =>
  asked.method === method && asked.path.includes(part) ? fault : undefined;

const said = (code: string, message: string) => Buffer.from(JSON.stringify({ errors: [{ code, message }] }));

test.each<[string, Fault, string, string]>([
  ["401", { status: 401 }, "wants a login to push to", "docker login"],
  [
    "403",
    { status: 403, body: said("DENIED", "requested access to the resource is denied") },
    "lets nobody push to",
    "ask the owner",
  ],
  ["404", { status: 404, body: said("NAME_UNKNOWN", "repository name not known") }, "has no faults/", "made first"],
  ["413", { status: 413, body: Buffer.from("<html>too large") }, "refuses the upload as too large", "raise the limit"],
  ["418", { status: 418 }, "refuses to let us push to", "OCI registry"],
  ["429 for an hour", { status: 429, headers: { "retry-after": "3600" } }, "is asked too often", "in 3600 s"],
  ["500", { status: 500 }, "fails with 500 Internal Server Error", "registry's log"],
])("%s at the upload is explained, and nothing is tagged", async (_, fault, what, next) => {
  const { error, tagged } = await publishWith(on("POST", "/uploads/", fault));
  expect(error?.message).toContain(what);
  expect(error?.next).toContain(next);
  expect(error?.where).toMatch(/^POST http:\/\/127\.0\.0\.1:\d+\/v2\/faults\/\d+\/blobs\/uploads\/$/);
  expect(tagged).toBeUndefined();
});

test("what the registry says is passed on, as one line of printable text", async () => {
  const body = said("DENIED", `quota of\u001b[31m team\nexceeded ${"x".repeat(500)}`);
  const { error } = await publishWith(on("PUT", "/manifests/", { status: 403, body }));
  expect(error?.message).toContain(": quota of [31m team exceeded xxx");
  expect(error?.message.length).toBeLessThan(300);
});

test.each<[string, Fault]>([
  ["503", { status: 503 }],
  ["429 with Retry-After: 2", { status: 429, headers: { "retry-after": "2" } }],
  ["a cut connection", "cut"],
])("%s passes: it is tried again until it works", async (_, fault) => {
  for (const [method, part] of [
    ["HEAD", "/blobs/"],
    ["POST", "/uploads/"],
    ["PUT", "/uploads/"],
    ["PUT", "/manifests/"],
    ["GET", "/blobs/"],
    ["GET", "/manifests/"],
  ] as const) {
    const { error, tagged, waits } = await publishWith((asked) =>
      asked.earlier < 2 ? on(method, part, fault)(asked) : undefined,
    );
    expect(error).toBeUndefined();
    expect(tagged).toBe(IMAGE.manifest.digest);
    expect(waits).toHaveLength(2);
    if (typeof fault === "object" && fault.headers) expect(waits).toEqual([2000, 2000]);
  }
});

test("a registry that asks for more patience than a person has is not waited for", async () => {
  const hour = { status: 429, headers: { "retry-after": "3600" } };
  const { waits, asked } = await publishWith(on("HEAD", "/blobs/", hour));
  expect(waits).toEqual([]);
  expect(asked).toHaveLength(1);
});

test("Retry-After can be a date, and one that is past means now", async () => {
  const past = { status: 503, headers: { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" } };
  const { error, waits } = await publishWith((asked) =>
    asked.earlier < 1 ? on("HEAD", "/blobs/", past)(asked) : undefined,
  );
  expect([error, waits]).toEqual([undefined, [0]]);
  const nonsense = { status: 503, headers: { "retry-after": "soon" } };
  expect((await publishWith(on("HEAD", "/blobs/", nonsense))).error?.message).toContain("fails with 503");
});

test("the waits grow, and the fourth failure is the last", async () => {
  const { error, waits, told, asked } = await publishWith(on("HEAD", "/blobs/", { status: 502 }));
  expect(waits).toEqual([500, 1000, 2000]);
  expect(told).toHaveLength(3);
  expect(asked).toHaveLength(4);
  expect(error?.message).toMatch(/fails with 502 Bad Gateway$/);
});

test("a connection that is always cut is explained", async () => {
  const { error, tagged } = await publishWith(on("PUT", "/uploads/", "cut"));
  expect(error?.message).toMatch(/^the connection to 127\.0\.0\.1:\d+ was cut: /);
  expect(tagged).toBeUndefined();
});

test("an interrupted upload is begun anew, not continued", async () => {
  const { error, asked } = await publishWith(({ method, path, earlier }) =>
    method === "PUT" && path.includes("/uploads/") && earlier === 0 ? "cut" : undefined,
  );
  expect(error).toBeUndefined();
  expect(asked.filter((one) => one === "POST uploads")).toHaveLength(3);
});

const OTHER = `sha256:${"0".repeat(64)}`;
const claims = (digest: string): Fault =>
  ((given) => ({ ...given, headers: { ...given.headers, "docker-content-digest": digest } })) as Fault;
const gives = (body: Buffer): Fault =>
  ((given) => {
    const { "content-length": _, ...headers } = given.headers;
    return { ...given, headers, body };
  }) as Fault;

test.each<[string, (asked: Asked) => Fault, string]>([
  ["about a blob it stored", on("PUT", "/uploads/", claims(OTHER)), `says that it stored ${OTHER} where `],
  ["about a manifest it stored", on("PUT", "/manifests/", claims(OTHER)), `says that it stored ${OTHER} where `],
  ["and gives back another blob", on("GET", "/blobs/", gives(Buffer.from("rubbish"))), "gives back sha256:"],
  ["and gives back another manifest", on("GET", "/manifests/sha256:", gives(Buffer.from("{}"))), "gives back sha256:"],
  ["and has no blob that it said it has", on("HEAD", "/blobs/", { status: 200 }), "refuses to let us push to"],
  ["about where to upload", on("POST", "/uploads/", { status: 202 }), "starts an upload but does not say where"],
])("a registry that answers wrongly %s is caught before anything is tagged", async (_, fault, what) => {
  const { error, tagged } = await publishWith(fault);
  expect(error?.message).toContain(what);
  expect(tagged).toBeUndefined();
});

test("a tag that names something else right after it was set is noticed", async () => {
  const { error } = await publishWith(on("GET", "/manifests/1.0", gives(Buffer.from("{}"))));
  expect(error?.message).toContain("by the tag 1.0, which was just set to sha256:");
});

test("wherever it fails, the tag names the old image or the new one, whole", async () => {
  const old = imageOf(MODULE, { version: "0.9" });
  const failAt = async (step: number) => {
    const name = `steps/${step + 1}`;
    await trial(registry.host, name).publish("1.0", old);
    let count = 0;
    return publishWith(() => (count++ === step ? { status: 400 } : undefined), name);
  };
  // The last two requests set the tag and read it back.
  const requests = (await failAt(-1)).asked.length;
  for (let step = 0; step < requests; step++) {
    const { error, tagged, asked } = await failAt(step);
    // Whether a blob is there already may go unanswered: it is pushed then.
    if (asked[step] === "HEAD blobs") {
      expect([error, tagged]).toEqual([undefined, IMAGE.manifest.digest]);
      continue;
    }
    expect(error, `step ${step}`).toBeInstanceOf(KeywayError);
    expect(tagged).toBe(step < requests - 1 ? old.manifest.digest : IMAGE.manifest.digest);
  }
});

test("an endless answer is cut off", async () => {
  const { error } = await publishWith(on("GET", "/blobs/", gives(Buffer.alloc(65 * 1024 * 1024))));
  expect(error?.message).toContain("sends more than");
});
