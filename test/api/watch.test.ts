import { expect, onTestFinished, test } from "vitest";
import { reviews, type Served, sent, startServer } from "./serve.ts";

interface Event {
  event: string;
  id?: number;
  data: { id: string; revision: number };
}

/** Follows a watch; `next` waits for so many more events. */
async function watch({ url }: Served, query = "", headers: Record<string, string> = {}) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const response = await fetch(`${url}/v1/watch${query}`, { headers, signal: stop.signal });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  const next = async (count: number): Promise<Event[]> => {
    const events: Event[] = [];
    while (events.length < count) {
      const end = text.indexOf("\n\n");
      if (end < 0) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`ended after ${events.length} events`);
        text += new TextDecoder().decode(value);
        continue;
      }
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split("\n")
          .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      text = text.slice(end + 2);
      if (fields.event === undefined) continue;
      events.push({
        event: fields.event,
        ...(fields.id && { id: Number(fields.id) }),
        data: JSON.parse(fields.data ?? ""),
      });
    }
    return events;
  };
  const ended = async () => {
    for (;;) if ((await reader.read()).done) return true;
  };
  return { next, ended, stop: () => stop.abort() };
}

const route = (id: string) => ({ id, ...reviews, key: id });
const put = (server: Served, id: string, more = {}) =>
  server.ask(`/v1/routes/${id}`, sent("PUT", { ...route(id), ...more }));

test("what is there comes first, then synced, then each change", async () => {
  const server = await startServer();
  await put(server, "b");
  await put(server, "a");
  const { next } = await watch(server);
  expect(await next(3)).toEqual([
    { event: "set", id: 1, data: { ...route("b"), revision: 1 } },
    { event: "set", id: 2, data: { ...route("a"), revision: 2 } },
    { event: "synced", id: 2, data: { revision: 2 } },
  ]);
  await put(server, "c");
  await server.ask("/v1/routes/b", sent("DELETE"));
  expect(await next(2)).toEqual([
    { event: "set", id: 3, data: { ...route("c"), revision: 3 } },
    { event: "delete", id: 4, data: { ...route("b"), revision: 1 } },
  ]);
});

test("a watch of an empty table is synced at once", async () => {
  const { next } = await watch(await startServer());
  expect(await next(1)).toEqual([{ event: "synced", id: 0, data: { revision: 0 } }]);
});

test("a watch goes on after a revision, by since and by Last-Event-ID, which wins", async () => {
  const server = await startServer();
  for (const id of ["a", "b", "c"]) await put(server, id);
  for (const { next } of [
    await watch(server, "?since=2"),
    await watch(server, "", { "last-event-id": "2" }),
    await watch(server, "?since=0", { "last-event-id": "2" }),
  ]) {
    expect(await next(2)).toMatchObject([
      { event: "set", id: 3, data: { id: "c" } },
      { event: "synced", id: 3 },
    ]);
  }
});

test("the id of a transaction stands at its last event, so that going on loses none of it", async () => {
  const server = await startServer();
  const { next } = await watch(server);
  await next(1);
  await put(server, "old");
  await server.ask("/v1/routes:apply", sent("POST", { set: [route("a"), route("b")], delete: ["old"] }));
  expect((await next(4)).map(({ event, id, data }) => [event, data.id, id])).toEqual([
    ["set", "old", 1],
    ["set", "a", undefined],
    ["set", "b", undefined],
    ["delete", "old", 2],
  ]);
});

test("what happened before a restart can be watched after it", async () => {
  const first = await startServer();
  for (const id of ["a", "b"]) await put(first, id);
  await first.ask("/v1/routes/a", sent("DELETE"));
  await first.end();
  const server = await startServer({}, first.folder);
  const { next } = await watch(server, "?since=1");
  expect(await next(3)).toMatchObject([
    { event: "set", id: 2, data: { id: "b" } },
    { event: "delete", id: 3, data: { id: "a" } },
    { event: "synced", id: 3 },
  ]);
});

test("a revision that is not there yet, or that is no number, is refused", async () => {
  const { ask } = await startServer();
  expect(await ask("/v1/watch?since=5")).toMatchObject({ status: 410, body: { error: { code: "too_old" } } });
  for (const since of ["-1", "x", "1.5", ""]) {
    expect(await ask(`/v1/watch?since=${since}`)).toMatchObject({
      status: 400,
      body: { error: { details: [{ path: "since" }] } },
    });
  }
  expect(await ask("/v1/watch", { headers: { "last-event-id": "x" } })).toMatchObject({ status: 400 });
});

test("the end of the server ends its watches in order", async () => {
  const server = await startServer();
  const { next, ended } = await watch(server);
  await next(1);
  const [isEnded] = await Promise.all([ended(), server.end()]);
  expect(isEnded).toBe(true);
});
