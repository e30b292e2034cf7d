// The process behind pace.ts: sends one request per tick over kept-alive connections and prints as JSON
// when the first one that counts was due, in milliseconds since 1970, and the microseconds that each answer took, in the order of the requests.
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const { port, header, first, last, rate, count } = JSON.parse(process.argv[2] as string);
const GRACE = 5000;
// The first requests find connections to be opened and code to be compiled; they are sent but not counted.
const WARM = 50;

const idle: Socket[] = [];
const micros: number[] = [];
let answered = 0;

async function open(): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return socket;
}

function send(socket: Socket, index: number): void {
  const key = first + Math.floor(Math.random() * (last - first + 1));
  const text = `GET / HTTP/1.1\r\nHost: reviews\r\n${header}${`${key}`.padStart(6, "0")}\r\n\r\n`;
  const sent = process.hrtime.bigint();
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk;
    if (!answer.endsWith("\r\n\r\nok\n")) return;
    if (!answer.startsWith("HTTP/1.1 200")) throw new Error(`the proxy answered ${answer}`);
    socket.removeAllListeners("data");
    if (index >= WARM) micros[index - WARM] = Math.round(Number(process.hrtime.bigint() - sent) / 100) / 10;
    answered++;
    idle.push(socket);
  });
  socket.write(text);
}

const begin = performance.now();
for (let index = 0; index < count + WARM; index++) {
  const due = begin + (index * 1000) / rate - performance.now();
  if (due > 0) await sleep(due);
  send(idle.pop() ?? (await open()), index);
}
const deadline = performance.now() + GRACE;
while (answered < count + WARM && performance.now() < deadline) await sleep(5);
if (answered < count + WARM) throw new Error(`${count + WARM - answered} requests had no answer after ${GRACE} ms`);
console.log(JSON.stringify({ first: performance.timeOrigin + begin + (WARM * 1000) / rate, micros }));
process.exit(0);
