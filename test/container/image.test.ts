// The image that the Dockerfile builds, run as the manifests run it: as nobody, with nothing to write on.
import "./engine/connect.ts";
import { createHash } from "node:crypto";
import { GenericContainer, type StartedTestContainer, Wait } from "testcontainers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { ROOT } from "../../shared/package.ts";
import { buildImage } from "./engine/image.ts";

const BASE = "keyway-test/node:1";
const PORT = 8700;
const TOKEN = "a-token-of-the-tests";

let image: GenericContainer;
let server: StartedTestContainer;

beforeAll(async () => {
  await buildImage({ name: BASE, program: process.execPath });
  image = await GenericContainer.fromDockerfile(ROOT)
    .withBuildArgs({ BASE })
    .build("keyway-test/keyway:1", { deleteOnExit: false });
  const sha256 = createHash("sha256").update(TOKEN).digest("hex");
  const tokens = stringify({ tokens: [{ name: "tests", sha256, roles: ["read", "write", "proxy"] }] });
  server = await image
    .withCommand(["serve", `--listen=0.0.0.0:${PORT}`, "--store=sqlite:/data/keyway.db", "--tokens=/etc/tokens.yaml"])
    .withCopyContentToContainer([{ content: tokens, target: "/etc/tokens.yaml" }])
    .withTmpFs({ "/data": "rw,mode=1777" })
    .withExposedPorts(PORT)
    .withWaitStrategy(Wait.forHttp("/readyz", PORT, { abortOnContainerExit: true }))
    .start();
});

afterAll(async () => {
  await server?.stop();
});

const ask = (method: string, path: string, body?: object) =>
  fetch(`http://${server.getHost()}:${server.getMappedPort(PORT)}${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });

test("the server in it keeps and gives routes", async () => {
  const route = { service: "reviews", key: "pr-42", to: "reviews-pr-42" };
  expect((await ask("PUT", "/v1/routes/pr-42", route)).status).toBe(201);
  expect(await (await ask("GET", "/v1/routes/pr-42")).json()).toMatchObject(route);
});

test("it runs as nobody", async () => {
  const { output } = await server.exec(["/usr/bin/node", "-p", "[process.getuid(), process.getgid()].join()"]);
  expect(output.trim()).toBe("65532,65532");
});

test("it is the whole command", async () => {
  const { output, exitCode } = await server.exec([
    "/usr/bin/node",
    "/opt/keyway/build/keyway.mjs",
    ...["render", "server", "--image", "registry.example/keyway:0.1.0", "-o", "json"],
  ]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(output).items.length).toBeGreaterThan(8);
});

test("it ends in order when it is told to", async () => {
  const started = performance.now();
  await server.stop({ timeout: 30_000, remove: false });
  expect(performance.now() - started).toBeLessThan(15_000);
});
