// Brings a mesh up, and finds one that another process of the same test run has brought up.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { envoy } from "../../../scripts/parts/envoy.ts";
import { etcd } from "../../../scripts/parts/etcd.ts";
import { istio } from "../../../scripts/parts/istio.ts";
import { kubeApiserver } from "../../../scripts/parts/kube-apiserver.ts";
import { networkTools } from "../../../scripts/parts/netns.ts";
import { registry as registryProgram } from "../../../scripts/parts/registry.ts";
import { furnish } from "./cluster.ts";
import { CONTROL_NAMES, Control } from "./control.ts";
import { Mesh } from "./mesh.ts";
import { CONTROL_LABEL, createBridge, createNamespace, namespaceOf } from "./network.ts";
import { Registry } from "./registry.ts";
import { CONTROL, claimRun, controlAddress, type Run, runAt } from "./run.ts";

export type OwnMesh = { mesh: Mesh; stop: () => Promise<void> };

/** A mesh without pods. It is taken away by `stop`, or when this process dies. */
export async function startMesh(): Promise<OwnMesh> {
  if (process.getuid?.() !== 0)
    throw new Error("the mesh test bed makes network namespaces and bridges; run it as root");
  await Promise.all([networkTools(), etcd(), registryProgram()]);
  await Promise.all([kubeApiserver(), istio(), envoy()]);
  const run = await claimRun();
  const stop = startReaper(run);
  try {
    return { mesh: await bringUp(run), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The mesh whose directory is given, for use in a process that did not start it. */
export function joinMesh(directory: string): Mesh {
  const run = runAt(directory);
  return new Mesh(run, new Control(run));
}

async function bringUp(run: Run): Promise<Mesh> {
  await createBridge(run);
  await createNamespace(run, namespaceOf(run, CONTROL_LABEL), CONTROL, CONTROL_NAMES);
  const plain = new Registry(run, "plain").start();
  const control = new Control(run);
  const api = await control.startApiServer();
  await furnish(api, controlAddress(run));
  const mesh = new Mesh(run, control);
  await Promise.all([control.startIstiod(), mesh.secureRegistry.start(), plain]);
  return mesh;
}

/** A process that takes the run away when its stdin closes, be it because this process has died. */
function startReaper(run: Run): () => Promise<void> {
  const program = join(import.meta.dirname, "reaper.ts");
  const child = spawn(process.execPath, [program, run.directory], {
    stdio: ["pipe", "ignore", "inherit"],
    detached: true,
  });
  child.unref();
  return async () => {
    child.ref();
    const gone = once(child, "close");
    child.stdin.end();
    const [code] = await gone;
    if (code !== 0) throw new Error(`the mesh in ${run.directory} could not be taken away; see the message above`);
  };
}
