// `keyway sandbox` against a cluster of the test's own, whose controller the test plays.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import type { SandboxResource, SandboxStatus } from "../../routes/model/sandbox.ts";
import type { StatusCondition } from "../../routes/model/status.ts";
import { runCli } from "../cli/run.ts";
import { startApiServer } from "../double/api-server.ts";
import { kubeconfig } from "../double/kubeconfig.ts";
import type { Stored } from "../double/store.ts";
import { workload } from "../forks/objects.ts";

type Said = [type: StatusCondition["type"], status: StatusCondition["status"], reason?: string, message?: string];

export const IN_FORCE: Said[] = [
  ["Accepted", "True"],
  ["Resolved", "True"],
  ["InForce", "True", "InForce", "2 of 2 proxies"],
];

export async function startSandboxes() {
  const api = await startApiServer();
  const folder = await mkdtemp(join(tmpdir(), "keyway-sandboxes-"));
  const file = join(folder, "config");
  await writeFile(file, kubeconfig(api));
  onTestFinished(async () => {
    await api.close();
    await rm(folder, { recursive: true });
  });
  const metadata = (name: string) => ({ name, namespace: "demo" });
  const ref = (name: string) => ({ apiVersion: "keyway.dev/v1alpha1", kind: "Sandbox", metadata: metadata(name) });
  const find = (name = "pr-42") => api.find(ref(name)) as SandboxResource | undefined;
  api.put(workload("Deployment", "reviews") as Stored);
  return {
    api,
    folder,
    find,
    sandbox: (...args: string[]) => runCli(["sandbox", ...args, "--kubeconfig", file, "-n", "demo"]),
    put: (name: string, more: Partial<SandboxResource>) =>
      api.put({ ...ref(name), spec: {}, ...more, metadata: { ...metadata(name), ...more.metadata } } as Stored),
    /** As the controller would say it. */
    say: (conditions: Said[], more: Partial<SandboxStatus> = {}, name = "pr-42") => {
      const lastTransitionTime = "2030-01-01T00:00:00Z";
      const said = conditions.map(([type, status, reason = type, message = ""]) => ({
        type,
        status,
        reason,
        message,
        lastTransitionTime,
      }));
      const { generation: observedGeneration = 0 } = find(name)?.metadata ?? {};
      api.put({ ...find(name), status: { observedGeneration, conditions: said, ...more } } as Stored);
    },
    /** It goes, with its finalizer taken off. */
    gone(name = "pr-42") {
      const there = find(name) as Stored | undefined;
      if (there) api.put({ ...there, metadata: { ...there.metadata, finalizers: [] } });
      if (find(name)) api.delete(ref(name));
    },
    kubeconfig: file,
  };
}

/** Resolves once the Sandbox is there. */
export async function there(find: () => unknown): Promise<void> {
  await expect.poll(find, { interval: 10, timeout: 20_000 }).toBeDefined();
}
