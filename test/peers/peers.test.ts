// What becomes of a question to the other servers.
import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { answering, answerOf, listening, peersAt } from "./bed.ts";

/** An address at which nothing listens. */
const nowhere = "http://127.0.0.1:1";

test("each server is asked for its own proxies alone, with the token, and their times are by this server's clock", async () => {
  const asked: IncomingMessage[] = [];
  const url = await answering(
    200,
    answerOf("other", { followers: [{ address: "a:1", scope: "x", came: 5000, answered: 20 }] }),
    asked,
  );
  const begun = performance.now();
  const { servers, missing } = await peersAt([url], { authorization: async () => "Bearer secret" }).ask();
  const ended = performance.now();
  expect(asked.map(({ url: path, headers }) => [path, headers.authorization])).toEqual([
    ["/v1/proxies?own=true", "Bearer secret"],
  ]);
  expect(missing).toEqual([]);
  const [[follower] = []] = servers;
  expect(follower).toMatchObject({ address: "a:1", scope: "x", digest: undefined });
  const { cameAt = 0, answeredAt = 0 } = follower ?? {};
  expect([cameAt + 5000 >= begun, cameAt + 5000 <= ended]).toEqual([true, true]);
  expect([answeredAt + 20 >= begun, answeredAt + 20 <= ended]).toEqual([true, true]);
});

test.for<[string, () => Promise<string>, RegExp]>([
  [
    "does not answer",
    () => listening(() => {}),
    /^server 127\.0\.0\.1:\d+ did not answer within 1\.5 s, so its proxies are not counted$/,
  ],
  [
    "begins an answer and no more",
    () => listening((_, response) => void response.write('{"revision":')),
    /did not answer within 1\.5 s/,
  ],
  [
    "is gone",
    async () => nowhere,
    /^server 127\.0\.0\.1:1 did not answer \(.*ECONNREFUSED.*\), so its proxies are not counted$/,
  ],
  ["cuts the connection", () => listening((request) => request.socket.destroy()), /did not answer \(/],
  [
    "knows no such token",
    () => answering(401, { error: { message: "this token is not known" } }),
    /refuses to say which proxies it has \(401: this token is not known\)/,
  ],
  [
    "is an older keyway",
    () => answering(400, { error: { message: "unknown parameter" } }),
    /refuses .* \(400: unknown parameter\)/,
  ],
  [
    "leads elsewhere",
    () => listening((_, response) => void response.writeHead(302, { location: "http://127.0.0.1:1/" }).end()),
    /refuses .* \(302: \)/,
  ],
  ["is something else", () => answering(200, { hello: "world" }), /is no route server that says which proxies it has/],
  [
    "counts negative time",
    () => answering(200, answerOf("other", { followers: [{ address: "a:1", scope: "", came: -1 }] })),
    /is no route server/,
  ],
])("a server that %s is told with its address, and the others count", async ([, start, message]) => {
  const [good, bad] = [await answering(200, answerOf("good")), await start()];
  const begun = performance.now();
  const { servers, missing } = await peersAt([bad, good]).ask();
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(servers.map(({ length }) => length)).toEqual([1]);
  expect(missing).toEqual([{ server: new URL(bad).host, message: expect.stringMatching(message) }]);
});

test("this server does not count itself, and asks itself once", async () => {
  const asked: IncomingMessage[] = [];
  const peers = peersAt([await answering(200, answerOf("self"), asked), await answering(200, answerOf("other"))]);
  for (let time = 0; time < 3; time++) expect((await peers.ask()).servers).toHaveLength(1);
  expect(asked).toHaveLength(1);
});

test("a server with two addresses counts once", async () => {
  const { servers } = await peersAt([await answering(200, answerOf("a")), await answering(200, answerOf("a"))]).ask();
  expect(servers).toHaveLength(1);
});

test("one that is not ready counts where it answers, and where nothing listens nobody can have a table from it", async () => {
  const url = await answering(200, answerOf("starting"));
  const silent = await listening(() => {});
  const all = [url, nowhere, silent].map((one) => ({ url: one, isReady: false }));
  const { servers, missing } = await peersAt(all).ask();
  expect([servers.length, missing.map(({ server }) => server)]).toEqual([1, [new URL(silent).host]]);
});

test("where nobody can say who the other servers are, that is told", async () => {
  const untold = { server: "demo/keyway", message: "it can't be read" };
  const peers = peersAt([], { directory: { find: async () => untold, close: async () => {} } });
  expect(await peers.ask()).toEqual({ servers: [], missing: [untold] });
});

test("many who ask at one time have one answer, which is of a question put after they asked", async () => {
  const asked: (() => void)[] = [];
  const url = await listening((_, response) => {
    asked.push(() => response.end(JSON.stringify(answerOf(`answer ${asked.length}`))));
  });
  const peers = peersAt([url], { answerMs: 5000 });
  const first = peers.ask();
  await expect.poll(() => asked.length).toBe(1);
  const later = Array.from({ length: 100 }, () => peers.ask());
  asked[0]?.();
  await first;
  await expect.poll(() => asked.length).toBe(2);
  asked[1]?.();
  const [one, ...others] = await Promise.all(later);
  expect(one?.servers).toHaveLength(1);
  expect(one).not.toBe(await first);
  expect(others.every((other) => other === one)).toBe(true);
  expect(asked).toHaveLength(2);
});

test("a question that fails is not the next one's end", async () => {
  let find = async () => Promise.reject(new Error("broken"));
  const peers = peersAt([], { directory: { find: () => find(), close: async () => {} } });
  const [first, same] = [peers.ask(), peers.ask()];
  await expect(first).rejects.toThrow("broken");
  await expect(same).rejects.toThrow("broken");
  find = async () => [] as never;
  expect(await peers.ask()).toEqual({ servers: [], missing: [] });
});
