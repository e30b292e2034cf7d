// A table of many pages leaves its thread to requests again and again while it comes.
import { expect, test } from "vitest";
import { keys, liveProxy } from "./live.ts";

const PAGES = 20;

/** Fetches a table of many pages on a proxy that takes so many microseconds to write a value; how many pages come from tick to tick, and
 * the milliseconds until the tick that follows. */
function fetched(micros: number): { pages: number[]; pauses: number[] } {
  const { envoy, server } = liveProxy();
  server.pageBytes = 1;
  server.apply(keys(24 * PAGES));
  envoy.process.meanwhile = ({ name }) => {
    if (name === "proxy_set_shared_data") envoy.process.monotonic += BigInt(micros) * 1000n;
  };
  const pages: number[] = [];
  const pauses: number[] = [];
  const contexts = envoy.threads.flatMap(({ vms }) => [...vms.values()].flatMap((vm) => [...vm.contexts.values()]));
  for (let before = 0; before < PAGES; before = server.questions.length) {
    envoy.tick();
    while (envoy.answer());
    pages.push(Math.min(server.questions.length, PAGES) - before);
    pauses.push(Math.min(...contexts.map(({ tickMs }) => tickMs).filter((ms) => ms > 0)));
  }
  envoy.process.meanwhile = undefined;
  envoy.run(1000);
  expect(envoy.process.counter("keyway_table_routes")).toBe(24 * PAGES);
  expect(envoy.process.lines("error")).toEqual([]);
  return { pages, pauses };
}

test("pages that take no time come without a pause", () => {
  expect(fetched(0)).toEqual({ pages: [PAGES], pauses: [250] });
});

test("a page that takes long is followed by a pause, unless it is the last", () => {
  const pages = Array(PAGES).fill(1);
  expect(fetched(1000)).toEqual({ pages, pauses: [...pages.slice(1), 250] });
});

test("pages that take little are followed by a pause when they have taken long together", () => {
  const { pages, pauses } = fetched(100);
  const middle = pages.slice(1, -1);
  expect(middle.length).toBeGreaterThan(3);
  expect(middle).toEqual(Array(middle.length).fill(3));
  expect(pauses.slice(0, -1)).toEqual(Array(pauses.length - 1).fill(1));
});
