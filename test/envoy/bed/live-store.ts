// A route server with a store that is to fail, and an Envoy that follows its table.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import { type Answer, sent } from "../../api/serve.ts";
import { freePort } from "../../registry/listening.ts";
import { type Child, startChild } from "../../server/child.ts";
import type { Bed } from "./bed.ts";
import { inForce, startLive, withKey } from "./live.ts";
import { keyed, type NewRoute } from "./route-server.ts";

/** A server that can be started again, and an Envoy that follows its table. */
export async function live(store: string, options: { before?: string; flags?: string[] } = {}) {
  const port = await freePort();
  const start = ({ before, flags = [] } = options) =>
    startChild("", {
      ...(before !== undefined && { before }),
      flags: ["--store", store, "--listen", `127.0.0.1:${port}`, ...flags],
    });
  let server: Child = await start();
  const put = ({ id, ...route }: NewRoute): Promise<Answer> => server.ask(`/v1/routes/${id}`, sent("PUT", route));
  const set = async (route: NewRoute) => expect([200, 201]).toContain((await put(route)).status);
  await set(keyed("steady", "a"));
  const bed: Bed = await startLive({ targets: ["a", "b"], servers: [port] });
  onTestFinished(() => bed.stop());
  await inForce(bed, withKey("steady"), "a");
  return {
    bed,
    put,
    set,
    /** Sets a route and waits until all workers have it. */
    async change(key: string) {
      await set(keyed(key, "b"));
      await inForce(bed, withKey(key), "b", { before: ["reviews"] });
    },
    /** Sets one as soon as the store takes it; returns how often that was refused before. */
    async setAtLast(key: string) {
      for (let refused = 0; ; refused++) {
        const { status } = await put(keyed(key, "b"));
        if (status < 300) return refused;
        expect([status, refused < 300]).toEqual([503, true]);
        await sleep(100);
      }
    },
    stop: (signal: NodeJS.Signals = "SIGTERM") => server.stop(signal),
    async restart(other = options) {
      server = await start(other);
    },
    get server() {
      return server;
    },
  };
}
