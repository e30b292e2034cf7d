import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Something in a test that listens on this machine. */
export interface Server {
  /** `127.0.0.1:PORT` */
  host: string;
  stop(): Promise<void>;
}

// Below the ports that systems give to outgoing connections, so that none of these takes a port before its process listens.
const [FIRST, END] = [20_000, 32_000];
const given = new Set<number>();

/** A port on which a process that is started now can listen. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, END);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => void server.close(() => resolve(true)));
  });
}
