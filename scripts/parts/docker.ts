// The Docker engine.
import { installed } from "./apt.ts";

/** A dockerd whose helpers (containerd, runc, docker-proxy) are on the PATH too. */
export async function dockerd(): Promise<string> {
  await installed({ program: "dockerd", package: "docker.io" });
  return "dockerd";
}
