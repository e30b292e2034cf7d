// `keyway route watch` against servers that live, end, and come again.
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { run } from "../../installer/cli/program.ts";
import { commands } from "../../installer/commands/index.ts";
import type { Io } from "../../shared/io.ts";
import { startServer, temporaryFolder } from "../api/serve.ts";
import { startRoutes } from "./routes.ts";

/** A watch that runs until `stop`; what it has printed so far is there to look at. */
function startWatch(server: string, ...args: string[]) {
  const stop = new AbortController();
  const written = { out: "", err: "" };
  const io: Io = {
    out: { write: (text) => (written.out += text) },
    err: { write: (text) => (written.err += text) },
    in: [],
    env: { KEYWAY_SERVER: server },
    signal: stop.signal,
  };
  const ended = run(["route", "watch", ...args], commands, io);
  const end = () => {
    stop.abort();
    return ended;
  };
  onTestFinished(async () => void (await end()));
  return {
    written,
    end,
    ended,
    events: () =>
      written.out
        .trim()
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
  };
}

const until = (check: () => void) => vi.waitFor(check, 15_000);

test("prints what is there, then each change, and ends with 0 when the person ends it", async () => {
  const { url, put, route } = await startRoutes();
  await put("alice", { service: "reviews", when: [{ cookie: "user", exact: "alice" }], to: "reviews-v2" });
  const { written, end } = startWatch(url);
  await until(() =>
    expect(written.out).toMatch(
      /EVENT +KEY +SERVICE .*\nset +- +reviews +reviews-v2 +cookie:user=alice +never +- +alice\n/,
    ),
  );
  await route("set", "reviews", "--key", "pr-42", "--to", "b", "--id", "pr-42");
  await until(() => expect(written.out).toMatch(/\nset +pr-42 /));
  await route("delete", "alice");
  await until(() => expect(written.out).toMatch(/\ndelete +- +reviews +reviews-v2 .* alice\n/));
  expect(await end()).toBe(0);
  expect(written.err).toBe("");
});

test("gives programs one line of JSON for each event, and filters", async () => {
  const { url, put } = await startRoutes();
  await put("mine", { service: "a", key: "k", to: "b", owner: "me" });
  await put("theirs", { service: "a", key: "l", to: "b" });
  const { events, end } = startWatch(url, "--owner", "me", "-o", "json");
  const mine = { id: "mine", service: "a", key: "k", to: "b", owner: "me", revision: 1 };
  await until(() =>
    expect(events()).toEqual([
      { event: "set", route: mine },
      { event: "synced", revision: 2 },
    ]),
  );
  await put("theirs", { service: "a", key: "l", to: "c" });
  await put("mine", { service: "a", key: "k", to: "c", owner: "me" });
  await until(() => expect(events()).toHaveLength(3));
  expect(events()[2]).toEqual({ event: "set", route: { ...mine, to: "c", revision: 4 } });
  expect(await end()).toBe(0);
});

test("tells changes only when that is asked for", async () => {
  const { url, put } = await startRoutes();
  await put("before", { service: "a", key: "k", to: "b" });
  const { events } = startWatch(url, "--changes-only", "-o", "json");
  await until(() => expect(events()).toEqual([{ event: "synced", revision: 1 }]));
  await put("after", { service: "a", key: "l", to: "b" });
  await until(() => expect(events().map(({ route }) => route?.id)).toEqual([undefined, "after"]));
});

test("goes on where it was after the server was gone, and misses nothing", async () => {
  const folder = temporaryFolder();
  const first = await startServer({}, folder);
  const put = (url: string, id: string) =>
    fetch(`${url}/v1/routes/${id}`, { method: "PUT", body: JSON.stringify({ service: "a", key: id, to: "b" }) });
  await put(first.url, "one");
  const { written, events } = startWatch(first.url, "-o", "json");
  await until(() => expect(events()).toHaveLength(2));
  await first.end();
  await until(() => expect(written.err).toContain("trying again until it is there"));
  const listen = new URL(first.url).host;
  const second = await startServer({ listen }, folder);
  await put(second.url, "two");
  await until(() =>
    expect(
      events()
        .filter(({ event }) => event === "set")
        .map(({ route }) => route.id),
    ).toEqual(["one", "two"]),
  );
  expect(written.err).toContain("the changes come again");
});

/** A server whose watches are answered one after the other. */
async function scripted(...answers: ((response: ServerResponse) => void)[]) {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers["last-event-id"] as string | undefined);
    const answer = answers[asked.length - 1] ?? answers.at(-1);
    answer?.(response);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const stream =
  (text: string, end = true) =>
  (response: ServerResponse) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(text);
    if (end) setTimeout(() => response.destroy(), 50);
  };
const refuse = (status: number, message: string) => (response: ServerResponse) =>
  void response.writeHead(status).end(JSON.stringify({ error: { code: "x", message, details: [] } }));
const set = (id: string, revision: number) =>
  `event: set\nid: ${revision}\ndata: {"id": "${id}", "service": "a", "key": "k", "to": "b", "revision": ${revision}}\n\n`;

test("begins anew, and says so, where it was too long ago", async () => {
  const { url, asked } = await scripted(
    stream(set("one", 3)),
    refuse(410, "too long ago"),
    stream(set("two", 9), false),
  );
  const { written, events } = startWatch(url, "-o", "json");
  await until(() => expect(events().map(({ event, route }) => route?.id ?? event)).toEqual(["one", "reset", "two"]));
  expect(asked).toEqual([undefined, "3", undefined]);
  expect(written.err).toContain("come anew");
});

test("an event that is cut off is not told, and comes whole with the next connection", async () => {
  const { url, asked } = await scripted(
    stream(`:\n\n${set("one", 3)}${set("two", 4).slice(0, 30)}`),
    stream(set("two", 4), false),
  );
  const { events } = startWatch(url, "-o", "json");
  await until(() => expect(events().map(({ route }) => route.id)).toEqual(["one", "two"]));
  expect(asked).toEqual([undefined, "3"]);
});

test("ends with 1 where the server refuses it, at first or later", async () => {
  const first = startWatch((await scripted(refuse(401, "this token is not known"))).url);
  expect(await first.ended).toBe(1);
  expect(first.written.err).toContain("this token is not known");
  const later = startWatch((await scripted(stream(set("one", 3)), refuse(403, "no more"))).url);
  expect(await later.ended).toBe(1);
  expect(later.written.err).toContain("no more");
});
