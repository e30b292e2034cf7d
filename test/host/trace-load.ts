// Loads for the memory of traces in the emulated host: more traces than it may hold, and headers that are meant to break its readers.
import { TRACE_HEADERS } from "../../routes/model/model.ts";
import type { Pairs } from "./emulator/headers.ts";
import { enter, leave, type Workload } from "./workload.ts";

const MASK = (1n << 128n) - 1n;

/** Distinct ids of 128 bits. */
export function idOf(n: number): string {
  return (((BigInt(n) + 1n) * 0x9e3779b97f4a7c15f39cc0605cedc835n) & MASK).toString(16).padStart(32, "0");
}

export const keyOf = (n: number): string => (n % 2 ? "a" : "b");

/** Lets traces come in, each once and with one of two keys. */
export function flood(one: Workload, from: number, to: number): void {
  for (let n = from; n < to; n++) enter(one, keyOf(n), { b3: idOf(n) });
}

/** What the memory takes now: of shared data, and of the module's own. */
export function sizeOf({ envoy }: Workload): { values: number; sharedBytes: number; moduleBytes: number } {
  return {
    values: envoy.process.shared.entries.size,
    sharedBytes: envoy.process.shared.size,
    moduleBytes: envoy.wasmBytes,
  };
}

/** How many of these traces are still known; throws where one is known by another key than its own. */
export function known(one: Workload, from: number, to: number): number {
  let found = 0;
  for (let n = from; n < to; n++) {
    const key = leave(one, { b3: idOf(n) });
    if (key !== undefined && key !== keyOf(n)) throw new Error(`trace ${n} has the key ${key}`);
    if (key !== undefined) found++;
  }
  return found;
}

const ID = "5759e988bd862e3fe1be46a994272793";
const WHOLE: Record<string, string> = {
  traceparent: `00-${ID}-00f067aa0ba902b7-01`,
  b3: `${ID}-00f067aa0ba902b7-1`,
  "x-b3-traceid": ID,
  "x-datadog-trace-id": "16266516598257821587",
  "x-datadog-tags": `_dd.p.dm=-0,_dd.p.tid=${ID.slice(0, 16)}`,
  "x-amzn-trace-id": `Self=1-0-0;Root=1-${ID.slice(0, 8)}-${ID.slice(8)};Sampled=1`,
  "x-cloud-trace-context": `${ID}/123;o=1`,
  "uber-trace-id": `${ID}:00f067aa0ba902b7:0:1`,
  sw8: "1-TUtLUEFUUk9MLTE5Mi4xNjg=-c2VnbWVudA==-3-UE9TVA==-djE=-L2FwaQ==-MTI3",
  "x-request-id": "5759e988-bd86-2e3f-e1be-46a994272793",
};
const HEADERS = [...TRACE_HEADERS, "x-datadog-tags"];
const PIECES = [
  "-",
  ":",
  ";",
  ",",
  "/",
  "=",
  "%3A",
  " ",
  "\t",
  "\xff",
  "\x00",
  "g",
  "0",
  "ff",
  "Root=1-",
  "_dd.p.tid=",
  ID,
  "9".repeat(21),
  "x".repeat(300),
];

/** Numbers below `most`, the same ones for the same seed. */
export function randomFrom(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (state * 48271) % 2147483647;
    return state % most;
  };
}

/** A header of each format: a whole one that is cut, joined with others, or has bytes written over. */
export function hostileHeaders(random: (most: number) => number): Pairs {
  return HEADERS.map((name) => [name, hostileValue(name, random)]);
}

function hostileValue(name: string, random: (most: number) => number): string {
  const whole = WHOLE[name] as string;
  const piece = () => PIECES[random(PIECES.length)] as string;
  const at = random(whole.length + 1);
  const kind = random(6);
  if (kind === 0) return whole.slice(0, at);
  if (kind === 1) return whole.slice(at);
  if (kind === 2) return whole.slice(0, at) + piece() + whole.slice(at);
  if (kind === 3) return whole.slice(0, at) + piece() + whole.slice(Math.min(whole.length, at + 1 + random(4)));
  if (kind === 4) return Array.from({ length: random(12) }, piece).join("");
  return WHOLE[HEADERS[random(HEADERS.length)] as string] as string;
}

/** Sends requests with hostile headers in and out again, and says how many headers that were. */
export function attack(one: Workload, requests: number, random: (most: number) => number): number {
  let headers = 0;
  for (let n = 0; n < requests; n++) {
    const key = [undefined, "a", "unknown"][random(3)];
    const own = hostileHeaders(random);
    headers += own.length;
    enter(one, key, own);
    leave(one, random(2) ? own : hostileHeaders(random));
    if (random(4) === 0) one.envoy.process.advance(random(500));
  }
  return headers;
}
