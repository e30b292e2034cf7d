import { expect, test } from "vitest";
import { deadline } from "../../installer/cli/connect.ts";
import { removeResources } from "../../installer/server-install/resources.ts";
import { connect, server } from "../cluster/connect.ts";

test("who is still there when the time is up is told, and an interruption ends the wait", async () => {
  const api = await server();
  const sandbox = {
    apiVersion: "keyway.dev/v1alpha1",
    kind: "Sandbox",
    metadata: { name: "pr-42", namespace: "demo", finalizers: ["keyway.dev/forks"] },
  };
  api.put(sandbox);
  const cluster = await connect(api);
  const steps = { update: () => {}, done: () => {}, warn: () => {}, next: () => {} };
  const remove = (signal: AbortSignal) => removeResources(cluster, [sandbox], { signal, steps });
  await expect(remove(deadline(new AbortController().signal, 0.5))).rejects.toThrow(
    /^not done within the 0\.5 s of --timeout: Sandbox demo\/pr-42 is still there$/,
  );
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("interrupted")), 300);
  await expect(remove(stop.signal)).rejects.toThrow(/^interrupted$/);
});
