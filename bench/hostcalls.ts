// What each call from a module into Envoy costs, in nanoseconds: a module that calls in a loop and reads the clock around it.
import { get } from "node:http";
import { BASELINE, bootstrap, wasmFilter } from "./lib/bootstrap.ts";
import { compile } from "./lib/compile.ts";
import { startEnvoy } from "./lib/envoy.ts";
import { median, shuffle } from "./lib/stats.ts";
import type { HostCall } from "./results.ts";

export const SAME_READ = "get_shared_data, 1 KB";
export const RANDOM_READ = "get_shared_data, 1 KB of 41,667 at random";

// The numbers are those of bench/peers/hostcalls; the result is what the module must answer: a status, or a count of headers.
const calls = [
  { name: "nothing (the empty loop)", call: 0, result: 0 },
  { name: "get_current_time", call: 1, result: 0 },
  { name: "get_header, hit", call: 2, result: 0 },
  { name: "get_header, miss", call: 3, result: 1 },
  { name: "get_property xds.cluster_name", call: 4, result: 0 },
  { name: "get_property request.headers.x, hit", call: 5, result: 0 },
  { name: "get_property request.headers.x, miss", call: 6, result: 1 },
  { name: "get_property plugin_name", call: 7, result: 0 },
  { name: "get_property request.path", call: 8, result: 0 },
  { name: "get_header_map_pairs, 10 headers", call: 9, result: 10 },
  { name: "set_property", call: 10, result: 0 },
  { name: "replace_header", call: 11, result: 0 },
  { name: "remove_header, absent", call: 12, result: 0 },
  { name: "clear_route_cache", call: 13, result: 0 },
  { name: "get_shared_data, miss", call: 14, result: 1 },
  { name: "get_shared_data, 16 B", call: 15, result: 0 },
  { name: "get_shared_data, 512 B", call: 16, result: 0 },
  { name: SAME_READ, call: 17, result: 0 },
  { name: "get_shared_data, 10 KB", call: 18, result: 0 },
  { name: "get_shared_data, 100 KB", call: 19, result: 0 },
  { name: RANDOM_READ, call: 24, result: 0 },
  { name: "set_shared_data, 16 B", call: 20, result: 0 },
  { name: "get_metric", call: 21, result: 0 },
  { name: "increment_metric", call: 22, result: 0 },
  { name: "record_metric", call: 23, result: 0 },
];

const CALLS_PER_REQUEST = 2000;
const UNUSED_PORT = 9;

function ask(port: number, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path: "/", headers }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => {
        text += chunk;
      });
      answer.on("end", () => resolve(text));
    }).on("error", reject);
  });
}

/** The prices of those calls that are named, or of all. */
export async function priceHostCalls(rounds: number, names?: readonly string[]): Promise<HostCall[]> {
  const wanted = calls.filter(({ name }) => names?.includes(name) ?? true);
  const host = { routes: [{ match: { prefix: "/" }, route: { cluster: BASELINE } }] };
  const filters = [wasmFilter(compile("hostcalls"))];
  const proxy = await startEnvoy(bootstrap({ filters, host }, UNUSED_PORT), { core: 0 });
  const samples = new Map<string, number[]>(wanted.map(({ name }) => [name, []]));
  try {
    for (let round = 0; round < rounds; round++) {
      for (const { name, call, result } of shuffle(wanted)) {
        const headers = {
          "x-call": `${call}`,
          "x-count": `${CALLS_PER_REQUEST}`,
          "x-routing-key": "pr-42",
          "user-agent": "bench",
        };
        const answer = await ask(proxy.port, headers);
        const [status, took] = answer.split(" ").map(Number);
        if (status !== result) throw new Error(`${name}: expected status ${result}, Envoy answered "${answer}"`);
        samples.get(name)?.push((took as number) / CALLS_PER_REQUEST);
      }
    }
  } finally {
    await proxy.stop();
  }
  return wanted.map(({ name }) => ({ call: name, nanoseconds: Math.round(median(samples.get(name) ?? [])) }));
}

if (import.meta.main) {
  const rounds = Number(process.argv[2] ?? 41);
  for (const { call, nanoseconds } of await priceHostCalls(rounds)) console.log(`${call.padEnd(38)} ${nanoseconds}`);
}
