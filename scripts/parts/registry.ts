// The reference OCI registry.
import { installed } from "./apt.ts";

/** A docker-registry, 2.8 or newer: `docker-registry serve CONFIG`. */
export async function registry(): Promise<string> {
  await installed({ program: "docker-registry", package: "docker-registry" });
  return "docker-registry";
}
