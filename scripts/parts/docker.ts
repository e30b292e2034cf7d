// The Docker engine.
import { installed } from "./apt.ts";

/** Path of a dockerd whose helpers (containerd, runc, docker-proxy) are on the PATH too. */
export async function dockerd(): Promise<string> {
  const [path] = await installed({ program: "dockerd", package: "docker.io" }, { program: "ip", package: "iproute2" });
  return `${path}`;
}
