// Program: the one thing that the API server asks of a node's kubelet here, port-forwarding into a pod, in the web-socket
// protocol v4.channel.k8s.io: each message begins with its channel, 0 for data and 1 for errors, and the first message of
// each channel is the port. Arguments: the address, a certificate's file and its key's, the directory of the pods.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { type WebSocket, WebSocketServer } from "ws";
import { KUBELET_PORT } from "./ports.ts";
import { dial } from "./relay.ts";

const [address, certificate, key, pods] = process.argv.slice(2) as [string, string, string, string];
const protocol = "v4.channel.k8s.io";
const sockets = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => offered.has(protocol) && protocol,
});

createServer({ cert: readFileSync(certificate), key: readFileSync(key) })
  .on("upgrade", (request, socket, head) => {
    const { pathname, searchParams } = new URL(`${request.url}`, "https://kubelet");
    const [, verb, namespace, pod] = pathname.split("/");
    if (verb !== "portForward") return void socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
    const relay = join(pods, `${namespace}.${pod}`, "relay");
    sockets.handleUpgrade(request, socket, head, (client) => forward(client, relay, Number(searchParams.get("port"))));
  })
  .listen(KUBELET_PORT, address);

function forward(client: WebSocket, relay: string, port: number): void {
  const first = Buffer.alloc(2);
  first.writeUInt16LE(port);
  const there = dial(relay, port);
  const send = (channel: number, data: Buffer) => client.send(Buffer.concat([Buffer.of(channel), data]));
  send(0, first);
  send(1, first);
  there.on("data", (data: Buffer) => send(0, data));
  there.on("error", (error) => send(1, Buffer.from(`${error.message}`)));
  there.on("close", () => client.close());
  client.on("message", (message: Buffer) => message[0] === 0 && there.write(message.subarray(1)));
  client.on("close", () => there.destroy());
}
