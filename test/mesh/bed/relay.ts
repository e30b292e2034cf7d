// A way into a network namespace: a Unix socket, which all namespaces see, served by a process that lives in the one. The
// first line a client writes is "PORT HOST"; from then on the socket is the connection to that place.
import { connect, createServer, type Socket } from "node:net";

export function serveRelay(path: string): void {
  createServer((client) => {
    client.on("error", () => {});
    client.once("data", (head: Buffer) => {
      const end = head.indexOf("\n");
      const [port, host] = head.toString("latin1", 0, end).split(" ");
      const there = connect({ port: Number(port), host: `${host}` });
      there.on("error", () => client.destroy());
      client.on("error", () => there.destroy());
      there.write(head.subarray(end + 1));
      client.pipe(there).pipe(client);
    });
  }).listen(path);
}

/** A connection made from inside the namespace. It is closed when nobody listens there. */
export function dial(path: string, port: number, host = "127.0.0.1"): Socket {
  const socket = connect(path);
  socket.write(`${port} ${host}\n`);
  return socket;
}
