// A process that holds many connections to a route server, on each of which a proxy polls: node many-polls.ts URL CONNECTIONS.
// It says `waiting` once all of them wait for a change, and `answered N` once N of them were told of one, which is all, or when it is ended.
import { once } from "node:events";
import { get } from "node:http";
import { connect, type Socket } from "node:net";
import { ReferenceClient } from "../feed/reference-client.ts";

const [url = "", count = "0"] = process.argv.slice(2);
const { port, host } = new URL(url);

/** What a proxy asks that has the table as it is. */
const client = new ReferenceClient();
while (!client.isConsistent) {
  const [answer] = await once(get(`${url}/v1/table?${client.query()}`, { agent: false }), "response");
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece);
  client.apply(Buffer.concat(pieces));
}
const question = `GET /v1/table?${client.query(50)} HTTP/1.1\r\nhost: ${host}\r\n\r\n`;

let answered = 0;
async function poll(): Promise<void> {
  const socket: Socket = connect(Number(port), "127.0.0.1");
  await once(socket, "connect");
  socket.write(question);
  socket.once("data", (piece: Buffer) => {
    if (piece.toString("latin1").startsWith("HTTP/1.1 200 ")) answered++;
    if (answered === Number(count)) process.stdout.write(`answered ${answered}\n`);
  });
}
for (let left = Number(count); left > 0; left -= 250) {
  await Promise.all(Array.from({ length: Math.min(250, left) }, poll));
}
process.stdout.write("waiting\n");
