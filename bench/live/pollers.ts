// The process behind writes.ts: as many proxies' long polls of one route server as it is told, on a connection each. It tells a line of JSON
// every second: answers and bytes so far, and the polls that wait.
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  LAYOUT,
  PAGE_AT_DIGEST,
  PAGE_AT_HISTORY,
  PAGE_AT_NEXT,
  PAGE_AT_REVISION,
  WAIT_SECONDS,
} from "../../routes/model/feed.ts";

const { port, proxies } = JSON.parse(process.argv[2] as string) as { port: number; proxies: number };
const told = { answers: 0, bytes: 0, waiting: 0 };

const hex = (page: Buffer, at: number) => page.readBigUInt64LE(at).toString(16).padStart(16, "0");

function poll(): void {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let query = `scope=&layout=${LAYOUT}&revision=0&next=0&wait=0`;
  let received: Buffer[] = [];
  let missing = -1;
  const ask = () => {
    told.waiting++;
    socket.write(`GET /v1/table?${query} HTTP/1.1\r\nHost: keyway\r\n\r\n`);
  };
  const hear = (page: Buffer) => {
    told.answers++;
    told.bytes += page.length;
    told.waiting--;
    const next = page.readUInt32LE(PAGE_AT_NEXT);
    const state = `history=${hex(page, PAGE_AT_HISTORY)}&revision=${page.readBigUInt64LE(PAGE_AT_REVISION)}`;
    query = `scope=&layout=${LAYOUT}&${state}&digest=${hex(page, PAGE_AT_DIGEST)}&next=0&wait=${WAIT_SECONDS}`;
    if (next > 0) throw new Error("this client reads tables of one page alone");
    ask();
  };
  socket.on("connect", ask).on("data", (chunk: Buffer) => {
    received.push(chunk);
    if (missing < 0) {
      const head = Buffer.concat(received);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      const text = head.subarray(0, end).toString();
      if (!text.startsWith("HTTP/1.1 200")) throw new Error(`the route server answered ${head}`);
      missing = Number(/content-length: (\d+)/i.exec(text)?.[1]);
      received = [head.subarray(end + 4)];
    }
    const body = Buffer.concat(received);
    if (body.length < missing) return;
    received = [];
    missing = -1;
    hear(body);
  });
}

for (let index = 0; index < proxies; index++) {
  poll();
  if (index % 100 === 0) await sleep(10);
}
setInterval(() => console.log(JSON.stringify(told)), 1000);
