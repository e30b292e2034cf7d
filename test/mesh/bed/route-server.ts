// The route server as the application of a pod. Proxies follow it without a token; WRITER_TOKEN reads and writes.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "./pod.ts";
import { startUnit } from "./unit.ts";

export const ROUTE_SERVER_PORT = 8700;
export const WRITER_TOKEN = "writer-token-0123456789";
/** Names the unit in the pod's directory. */
export const ROUTE_SERVER_UNIT = "routes";

const MAIN = join(import.meta.dirname, "../../../installer/main.ts");

export async function serveRoutes({ directory, network }: Pod): Promise<void> {
  const folder = join(directory, ROUTE_SERVER_UNIT);
  await mkdir(folder);
  const tokens = { tokens: [{ name: "writer", token: WRITER_TOKEN, roles: ["read", "write"] }], anonymous: ["proxy"] };
  await writeFile(join(folder, "tokens.json"), JSON.stringify(tokens), { mode: 0o600 });
  const flags = ["--listen", `0.0.0.0:${ROUTE_SERVER_PORT}`, "--store", `sqlite:${folder}/routes.db`];
  const command = [process.execPath, MAIN, "serve", ...flags, "--tokens", join(folder, "tokens.json")];
  await startUnit({ name: ROUTE_SERVER_UNIT, directory, namespace: network, command });
}
