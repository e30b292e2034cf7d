// What is a failure of the network, explained and tried again, and what is a mistake of our own.
import { createServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Http } from "../../installer/registry/http.ts";
import { CutOff } from "../../shared/net/unreachable.ts";
import { freePort } from "./listening.ts";

const answers = {
  nothing: "",
  "half a head": "HTTP/1.1 200 OK\r\ncontent-le",
  "half a body": "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
  "no HTTP": "220 mail.example ESMTP\r\n",
  "a body that is no gzip": "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc",
};
type Kind = keyof typeof answers;

const url = (port: number, kind: Kind = "nothing") => new URL(`http://127.0.0.1:${port}/${encodeURIComponent(kind)}`);
const http = new Http({ env: {}, signal: new AbortController().signal, timeout: 5000 });
const asked = (at: URL, headers = {}) => http.ask(at, { method: "GET", headers }).catch((thrown: unknown) => thrown);

const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", (request) => {
    const path = decodeURIComponent(/^GET \/(\S*)/.exec(request.toString())?.[1] ?? "");
    socket.end(answers[path as Kind]);
  });
});
let port: number;
beforeAll(async () => {
  port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
});
afterAll(() => {
  server.close();
});

test.each(Object.keys(answers) as Kind[])("a registry that answers with %s has cut the connection", async (kind) => {
  const thrown = await asked(url(port, kind));
  expect(thrown).toBeInstanceOf(CutOff);
  expect(String(thrown)).toContain(`127.0.0.1:${port} was cut`);
});

test("a request that can't be made is a fault of ours, not of the registry", async () => {
  const thrown = await asked(url(port), { authorization: "a\nb" });
  expect(thrown).toBeInstanceOf(TypeError);
});
