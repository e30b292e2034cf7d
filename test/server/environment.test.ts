import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { serveRoutes } from "../../scripts/proxy/route-server.ts";
import { temporaryFolder } from "../api/serve.ts";
import { startChild } from "./child.ts";

test("servers of tests and examples heed no settings of the shell that they are started from", async () => {
  vi.stubEnv("KEYWAY_SERVE_TOKENS", "/nowhere");
  onTestFinished(() => void vi.unstubAllEnvs());
  const file = join(temporaryFolder(), "keyway.db");
  expect((await (await startChild(file)).ask("/healthz")).status).toBe(200);
  const server = await serveRoutes("--store", `sqlite:${join(temporaryFolder(), "keyway.db")}`);
  onTestFinished(() => server.stop());
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
});
