import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { reviews, sent, temporaryFolder } from "../api/serve.ts";
import { startChild } from "./child.ts";

const database = () => join(temporaryFolder(), "keyway.db");

/** The routes of a server by their ids. */
async function routesOf(server: {
  ask: (path: string) => Promise<{ body: { routes: { id: string; owner?: string }[]; next?: string } }>;
}) {
  const routes = new Map<string, { id: string; owner?: string }>();
  let cursor = "";
  do {
    const { body } = await server.ask(`/v1/routes?limit=1000${cursor && `&cursor=${cursor}`}`);
    for (const route of body.routes) routes.set(route.id, route);
    cursor = body.next ?? "";
  } while (cursor !== "");
  return routes;
}

test("kill -9 in the middle of 1,000 writes: what was acknowledged is there, and no transaction is there by half", async () => {
  const file = database();
  const server = await startChild(file);
  const acknowledged: string[] = [];
  const failed: string[] = [];
  const writes = Array.from({ length: 1000 }, async (_, at) => {
    const isPair = at % 2 === 1;
    const set = (isPair ? ["x", "y"] : ["x"]).map((part) => ({
      id: `w-${at}-${part}`,
      ...reviews,
      key: `k-${at}-${part}`,
    }));
    try {
      const { status } = await server.ask("/v1/routes:apply", sent("POST", { set }));
      expect(status).toBe(200);
      acknowledged.push(...set.map(({ id }) => id));
    } catch {
      failed.push(`w-${at}`);
    }
    // The end comes when some are written, some are on their way and some are not begun.
    if (acknowledged.length > 300 && server.process.signalCode === null) server.process.kill("SIGKILL");
  });
  await Promise.all(writes);
  expect(failed.length).toBeGreaterThan(10);
  const again = await startChild(file);
  const routes = await routesOf(again);
  expect(acknowledged.filter((id) => !routes.has(id))).toEqual([]);
  for (let at = 1; at < 1000; at += 2) expect(routes.has(`w-${at}-x`), `w-${at}`).toBe(routes.has(`w-${at}-y`));
  expect((await again.ask("/v1/routes/new", sent("PUT", reviews))).status).toBe(201);
});

test("two servers on one file: one is killed under load, the other goes on with all that was acknowledged", async () => {
  const file = database();
  const [a, b] = [await startChild(file), await startChild(file)];
  const acknowledged: string[] = [];
  const write = async (server: typeof a, id: string) => {
    try {
      const { status } = await server.ask(`/v1/routes/${id}`, sent("PUT", { ...reviews, key: id }));
      if (status === 201) acknowledged.push(id);
    } catch {
      // It was killed.
    }
  };
  await Promise.all(
    Array.from({ length: 300 }, async (_, at) => {
      await write(at % 2 === 0 ? a : b, `r-${at}`);
      if (acknowledged.length >= 100) a.process.kill("SIGKILL");
    }),
  );
  // How many the other one has acknowledged by then is up to the machine.
  const odd = acknowledged.filter((id) => Number(id.slice(2)) % 2 === 1);
  expect(odd).toHaveLength(150);
  await expect.poll(() => a.process.signalCode).toBe("SIGKILL");
  await write(b, "after");
  expect(acknowledged).toContain("after");
  const lost = async () => {
    const routes = await routesOf(b);
    return acknowledged.filter((id) => !routes.has(id));
  };
  await expect.poll(lost).toEqual([]);
});

test("a disk that is full: writes are refused as a whole, reading goes on, and the next start has what was acknowledged", async () => {
  const file = database();
  // In blocks of 512 bytes; a write beyond it fails as on a full disk.
  const server = await startChild(file, { before: "trap '' XFSZ; ulimit -f 1024" });
  const acknowledged: string[] = [];
  let refused: { status: number; body: { error: { message: string } } } | undefined;
  for (let at = 0; at < 200 && refused === undefined; at++) {
    const set = Array.from({ length: 50 }, (_, one) => ({
      id: `r-${at}-${one}`,
      ...reviews,
      key: `k-${at}-${one}`,
      owner: "o".repeat(200),
    }));
    const answer = await server.ask("/v1/routes:apply", sent("POST", { set }));
    if (answer.status === 200) acknowledged.push(...set.map(({ id }) => id));
    else refused = answer;
  }
  expect([503, 507]).toContain(refused?.status);
  expect(refused?.body.error.message).not.toBe("");
  expect(acknowledged.length).toBeGreaterThan(50);
  expect([...(await routesOf(server)).keys()].sort()).toEqual([...acknowledged].sort());
  expect((await server.ask("/readyz")).status).toBe(200);
  await server.stop("SIGKILL");
  const again = await startChild(file);
  expect([...(await routesOf(again)).keys()].sort()).toEqual([...acknowledged].sort());
});

test("a server that is told to end finishes the writes under way and gives exit code 0", async () => {
  const file = database();
  const server = await startChild(file);
  const writes = Array.from({ length: 200 }, (_, at) =>
    server.ask(`/v1/routes/r-${at}`, sent("PUT", { ...reviews, key: `k-${at}` })).then(
      ({ status }) => (status === 201 ? `r-${at}` : undefined),
      () => undefined,
    ),
  );
  await writes[0];
  const { code } = await server.stop("SIGTERM");
  expect(code).toBe(0);
  const acknowledged = (await Promise.all(writes)).filter((id) => id !== undefined);
  const routes = await routesOf(await startChild(file));
  expect(acknowledged.filter((id) => !routes.has(id))).toEqual([]);
  expect(acknowledged.length).toBeGreaterThan(0);
});

test("a second signal ends a server at once that waits for a slow request", async () => {
  const server = await startChild(database(), { flags: ["--grace", "60"] });
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode("{")) });
  const slow = fetch(`${server.url}/v1/routes/a`, { method: "PUT", body, duplex: "half" } as RequestInit).catch(
    () => {},
  );
  await expect.poll(async () => (await server.ask("/metrics")).body).toMatch(/keyway_server_connections [2-9]/);
  server.process.kill("SIGTERM");
  await expect.poll(() => server.log.join("")).toContain('"msg":"ending"');
  expect((await server.stop("SIGTERM")).code).toBe(143);
  await slow;
});

test("a damaged database stops the start, with how to restore it", async () => {
  const file = database();
  writeFileSync(file, "this is no database at all, but long enough to be looked at".repeat(100));
  await expect(startChild(file)).rejects.toThrow(/the database is damaged[\s\S]*copy a backup/);
});
