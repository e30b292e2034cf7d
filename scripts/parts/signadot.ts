// Clients of Signadot's routes API: its own command `sdroutes`, and `probe`, a small application with its Go SDK.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.ts";
import { goBuild } from "./go.ts";

const SOURCES = ["go.mod", "go.sum", "probe/main.go"];

/** The directory with both programs. */
export async function signadotClients(): Promise<string> {
  const digest = createHash("sha256");
  for (const file of SOURCES) digest.update(readFileSync(join(import.meta.dirname, "signadot", file)));
  return await cached({
    name: "signadot",
    version: digest.digest("hex").slice(0, 12),
    doing: "building clients of Signadot's routes API from Go modules (a minute of processor time, once)",
    make: build,
  });
}

const build = (directory: string) =>
  goBuild(
    {
      module: "signadot",
      packages: ["./probe", "github.com/signadot/routesapi/go-routesapi/cmd/sdroutes"],
      variables: {},
    },
    directory,
  );
