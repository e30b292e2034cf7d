// The reference OCI registry.
import { installed } from "./apt.ts";

/** Path of a docker-registry, 2.8 or newer: `docker-registry serve CONFIG`. */
export async function registry(): Promise<string> {
  const [path] = await installed({ program: "docker-registry", package: "docker-registry" });
  return `${path}`;
}
