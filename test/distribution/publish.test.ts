import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fileInTar, gzipStored, tarOf } from "../../installer/registry/archive.ts";
import { imageOf } from "../../installer/registry/image.ts";
import { pullModule } from "../../installer/registry/pull.ts";
import { runCli } from "../cli/run.ts";
import { check } from "../property.ts";
import type { Server } from "../registry/listening.ts";
import { IMAGE, MODULE, trial } from "../registry/trial.ts";
import { startFaulty } from "./faulty.ts";
import { startRegistry } from "./server.ts";

let registry: Server;
beforeAll(async () => {
  registry = await startRegistry();
}, 300_000);
afterAll(() => registry.stop());

test("what is published is what is pulled, by tag and by digest", async () => {
  const { repository, publish } = trial(registry.host, "round/trip");
  await publish("1.0");
  const name = { host: registry.host, repository: "round/trip" };
  for (const reference of [{ tag: "1.0" }, { digest: IMAGE.manifest.digest }]) {
    const pulled = await pullModule(repository, { ...name, ...reference });
    expect(Buffer.from(pulled.module)).toEqual(Buffer.from(MODULE));
    expect(pulled.digest).toBe(IMAGE.manifest.digest);
    expect(pulled.annotations).toEqual({
      "org.opencontainers.image.title": "keyway",
      "org.opencontainers.image.version": "1.2.3",
      "org.opencontainers.image.revision": "0123abc",
      "dev.keyway.module.sha256": createHash("sha256").update(MODULE).digest("hex"),
    });
  }
});

test("the registry itself names the manifest by our digest", async () => {
  await trial(registry.host, "same/digest").publish("1.0");
  const answer = await fetch(`http://${registry.host}/v2/same/digest/manifests/1.0`, {
    headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
  });
  expect(answer.headers.get("docker-content-digest")).toBe(IMAGE.manifest.digest);
});

test("the same module, version and revision give the same bytes, on every machine and with every version of Node", () => {
  expect(IMAGE.manifest.digest).toBe("sha256:886aad83d562423e23aed3d4d48ebc51d80904804277c2e49cd4fa651fd1710f");
  expect(imageOf(new Uint8Array(MODULE), { version: "1.2.3", revision: "0123abc" })).toEqual(IMAGE);
});

test("Git has no part in the digest, unless the caller names a revision", async () => {
  const folder = await mkdtemp(join(tmpdir(), "keyway-digest-"));
  const checkout = join(import.meta.dirname, "../..");
  const digestFrom = async (path: string, env: Record<string, string> = {}, ...args: string[]) => {
    await writeFile(path, MODULE);
    const url = `oci://${registry.host}/digests/keyway:1.0`;
    const { out, err } = await runCli(["publish", "--insecure", "--module", path, "-o", "json", ...args, url], {
      env: { HOME: folder, PATH: process.env.PATH ?? "", ...env },
    });
    expect(err).not.toContain("keyway:");
    return JSON.parse(out) as { digest: string; revision: string | null };
  };
  const inCheckout = join(checkout, "build", `digest-${process.pid}.wasm`);
  try {
    const outside = await digestFrom(join(folder, "keyway.wasm"));
    expect(outside.revision).toBeNull();
    expect(await digestFrom(inCheckout)).toEqual(outside);
    expect(await digestFrom(inCheckout, { GIT_DIR: join(checkout, ".git") })).toEqual(outside);
    const named = await digestFrom(inCheckout, {}, "--revision", "0123abc");
    expect(named.revision).toBe("0123abc");
    expect(named.digest).not.toBe(outside.digest);
  } finally {
    await Promise.all([rm(folder, { recursive: true }), rm(inCheckout, { force: true })]);
  }
});

test("another version, revision or module gives another digest", () => {
  const digests = [
    imageOf(MODULE, { version: "1.2.4", revision: "0123abc" }),
    imageOf(MODULE, { version: "1.2.3", revision: "0123abd" }),
    imageOf(MODULE, { version: "1.2.3" }),
    imageOf(new Uint8Array([...MODULE, 0]), { version: "1.2.3", revision: "0123abc" }),
    IMAGE,
  ].map(({ manifest }) => manifest.digest);
  expect(new Set(digests).size).toBe(5);
});

test("tar and gzip themselves read the layer", () => {
  const module = execFileSync("tar", ["-xzO", "plugin.wasm"], { input: IMAGE.layer.bytes });
  expect(module).toEqual(Buffer.from(MODULE));
});

test("a file of any size comes back out of its archive", () => {
  const size = fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.constantFrom(65535, 65536, 65537, 131070, 200_000));
  check(
    [size, fc.integer({ min: 0, max: 255 })],
    (length, seed) => {
      const content = Buffer.from(Array.from({ length }, (_, index) => (index * 31 + seed) % 251));
      const archive = gzipStored(tarOf("plugin.wasm", content));
      expect(fileInTar(archive, "plugin.wasm")?.equals(content)).toBe(true);
      expect(fileInTar(archive, "other.wasm")).toBeUndefined();
    },
    50,
  );
});

test("publishing again sends no blob again", async () => {
  await trial(registry.host, "twice").publish("1.0");
  const counting = await startFaulty(registry.host, () => undefined);
  try {
    const { told, publish } = trial(counting.host, "twice");
    await publish("1.0");
    expect(told.slice(0, 2)).toEqual(["config 163 B: already there", "module 2.0 KiB: already there"]);
    expect(counting.asked.filter((one) => one.includes("uploads"))).toEqual([]);
  } finally {
    await counting.stop();
  }
});

test("blobs are taken over from another repository, or pushed where that has none", async () => {
  await trial(registry.host, "staging").publish("1.0");
  const taken = trial(registry.host, "prod", undefined, "staging");
  await taken.publish("1.0");
  expect(taken.told.slice(0, 2)).toEqual(["config 163 B: taken over", "module 2.0 KiB: taken over"]);

  const pushed = trial(registry.host, "prod2", undefined, "no/such");
  await pushed.publish("1.0");
  expect(pushed.told.slice(0, 2)).toEqual(["config 163 B: pushed", "module 2.0 KiB: pushed"]);
});

test("a tag moves to the new image", async () => {
  const { repository, publish } = trial(registry.host, "moving");
  await publish("latest");
  const newer = imageOf(MODULE, { version: "1.2.4" });
  await publish("latest", newer);
  expect(await repository.manifest("latest")).toEqual(newer.manifest.bytes);
});
