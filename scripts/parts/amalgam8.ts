// A small application with the Go clients of Amalgam8's registry and controller.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.ts";
import { goBuild } from "./go.ts";

const SOURCES = ["go.mod", "go.sum", "probe/main.go"];

/** The path of the application. */
export async function amalgam8Client(): Promise<string> {
  const digest = createHash("sha256");
  for (const file of SOURCES) digest.update(readFileSync(join(import.meta.dirname, "amalgam8", file)));
  const directory = await cached({
    name: "amalgam8",
    version: digest.digest("hex").slice(0, 12),
    doing: "building Amalgam8's clients from Go modules (half a minute of processor time, once)",
    make: (into) => goBuild({ module: "amalgam8", packages: ["./probe"], variables: {} }, into),
  });
  return join(directory, "probe");
}
