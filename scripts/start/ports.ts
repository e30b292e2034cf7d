import { once } from "node:events";
import { createServer } from "node:net";

/** The first port from `wanted` on that is free on 127.0.0.1 and not among those already given away. */
export async function free(wanted: number, given: Set<number>): Promise<number> {
  for (let port = wanted; port < wanted + 1000; port++) if (!given.has(port) && (await listens(port))) return port;
  throw new Error(`ports ${wanted} to ${wanted + 999} of 127.0.0.1 are all taken; stop what holds them`);
}

async function listens(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
