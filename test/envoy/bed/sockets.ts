import { once } from "node:events";
import type WebSocket from "ws";

/** The next message of a socket, each once, also those that came before they were asked for. */
export function messagesOf(socket: WebSocket): () => Promise<Buffer> {
  const come: Buffer[] = [];
  socket.on("message", (data: Buffer) => {
    come.push(data);
    socket.emit("queued");
  });
  return async () => {
    if (come.length === 0) await once(socket, "queued");
    return come.shift() as Buffer;
  };
}
