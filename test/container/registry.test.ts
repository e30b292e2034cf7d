// The registry in a container: what `keyway publish` pushes into it can be pulled from it by its digest.
import "./engine/connect.ts";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GenericContainer, type StartedTestContainer, Wait } from "testcontainers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { registry as registryProgram } from "../../scripts/parts/registry.ts";
import { runCli } from "../cli/run.ts";
import { buildImage } from "./engine/image.ts";

const MODULE = join(import.meta.dirname, "..", "..", "build", "keyway.wasm");
const IMAGE = "keyway-test/registry:1";
const PORT = 5000;
const CONFIG = {
  version: "0.1",
  storage: { filesystem: { rootdirectory: "/store" } },
  http: { addr: `:${PORT}`, secret: "test" },
};

let registry: StartedTestContainer;
let host: string;

beforeAll(async () => {
  await buildImage({ name: IMAGE, program: await registryProgram() });
  registry = await new GenericContainer(IMAGE)
    .withCommand(["serve", "/config.json"])
    .withCopyContentToContainer([{ content: JSON.stringify(CONFIG), target: "/config.json" }])
    .withExposedPorts(PORT)
    .withWaitStrategy(Wait.forHttp("/v2/", PORT))
    .start();
  host = `${registry.getHost()}:${registry.getMappedPort(PORT)}`;
});

afterAll(() => registry?.stop());

test("a published module is served under the digest that publish prints", async () => {
  const { code, out, err } = await runCli(["publish", "--insecure", "--module", MODULE, `oci://${host}/team/keyway:1`]);
  expect(code, err).toBe(0);
  const [, digest] = out.trim().split("@");

  const manifest = await bytes(`manifests/${digest}`);
  expect(`sha256:${sha256(manifest)}`).toBe(digest);
  const { annotations, layers } = JSON.parse(manifest.toString("utf8"));
  expect(annotations["dev.keyway.module.sha256"]).toBe(sha256(await readFile(MODULE)));
  for (const layer of layers) expect(`sha256:${sha256(await bytes(`blobs/${layer.digest}`))}`).toBe(layer.digest);
});

async function bytes(path: string): Promise<Buffer> {
  const headers = { accept: "application/vnd.oci.image.manifest.v1+json" };
  const answer = await fetch(`http://${host}/v2/team/keyway/${path}`, { headers });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

const sha256 = (data: Buffer) => createHash("sha256").update(data).digest("hex");
