// The live table at work: a route server, two Envoys that follow it, and commands that change it.
import { mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { styleText } from "node:util";
import { run as runCommand } from "../../installer/cli/program.ts";
import { commands } from "../../installer/commands/index.ts";
import { tableCluster } from "../../installer/render/table.ts";
import { METRIC_TABLE_CHANGES } from "../../routes/model/names.ts";
import { type Bootstrap, type Cluster, example, manager } from "../proxy/bootstrap.ts";
import { type RouteServer, serveRoutes } from "../proxy/route-server.ts";
import { type Envoy, run } from "../proxy/run.ts";
import { free } from "./ports.ts";
import { ask } from "./requests.ts";

export interface Live {
  server: RouteServer;
  proxies: Envoy[];
}

const KEY = "pr-77";
/** What is typed, and where requests with the key go from then on. */
const STEPS: [command: string, service: string][] = [
  [`route set reviews --key ${KEY} --to reviews-pr-42 --ttl 2h`, "reviews-pr-42"],
  [`route set reviews --key ${KEY} --to reviews-v2`, "reviews-v2"],
  [`route delete --key ${KEY}`, "reviews"],
];
/** Connections to each Envoy, so that all of its workers are asked. */
const CONNECTIONS = 8;

/** `clusters` are those of the services that run already. */
export async function startLive(clusters: readonly Cluster[], taken: Set<number>): Promise<Live> {
  const folder = mkdtempSync(join(tmpdir(), "keyway-start-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const listen = await port(8700, taken);
  const store = `sqlite:${join(folder, "routes.db")}`;
  const server = await serveRoutes("--store", store, "--listen", `127.0.0.1:${listen}`);
  const proxies = [await proxy(10001), await proxy(10002)];
  return { server, proxies };

  async function proxy(wanted: number): Promise<Envoy> {
    const envoy = await run(following(clusters, listen, await port(wanted, taken)), { concurrency: 2 });
    while (!(await hasTable(envoy))) await sleep(20);
    return envoy;
  }
}

/** A proxy counts the changes of its table; the first one brings the table itself. */
async function hasTable(envoy: Envoy): Promise<boolean> {
  return Number(/: (\d+)/.exec(await envoy.ask(`/stats?filter=${METRIC_TABLE_CHANGES}`))?.[1]) > 0;
}

async function port(wanted: number, taken: Set<number>): Promise<number> {
  const found = await free(wanted, taken);
  taken.add(found);
  return found;
}

/** envoy.yaml with a live table in place of its routes. */
function following(clusters: readonly Cluster[], server: number, listen: number): Bootstrap {
  const bootstrap = example();
  const { listeners } = bootstrap.static_resources;
  bootstrap.admin.address.socket_address.port_value = 0;
  bootstrap.static_resources.clusters = [...clusters, tableCluster({ servers: [{ host: "127.0.0.1", port: server }] })];
  for (const listener of listeners) {
    listener.address.socket_address.port_value = listen;
    const plugin = manager(listener).http_filters[0]?.typed_config?.config;
    const table = { cluster: "keyway" };
    if (plugin) plugin.configuration.value = JSON.stringify({ hopMark: "route", table });
  }
  return bootstrap;
}

/** Does each step, and returns the lines that show it. */
export async function show({ server, proxies }: Live): Promise<string> {
  const lines = [styleText("bold", `LIVE ROUTES, from the route server on ${server.url} to two Envoys`)];
  for (const [command, service] of STEPS) {
    const inForce = Promise.all(proxies.map((one) => answeredBy(one, service)));
    const accepted = await typed(command, server.url);
    const after = Math.max(...(await inForce)) - accepted;
    const time = after < 1 ? "at once" : `${Math.round(after)} ms later`;
    lines.push(`$ keyway ${command}`, `  in force on all workers of both Envoys ${time}: ${KEY} goes to ${service}`);
  }
  return lines.join("\n");
}

/** When the command had its answer. */
async function typed(command: string, server: string): Promise<number> {
  let said = "";
  const sink = { write: (text: string) => (said += text) };
  const io = { out: sink, err: sink, in: [], env: { KEYWAY_SERVER: server }, signal: new AbortController().signal };
  const code = await runCommand(command.split(" "), commands, io);
  if (code !== 0) throw new Error(`keyway ${command}: ${said}`);
  return performance.now();
}

/** When the service answered on all connections. */
async function answeredBy(proxy: Envoy, service: string): Promise<number> {
  const patience = performance.now() + 20_000;
  const connection = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (;;) {
      const { status, body } = await ask(agent, proxy.ports.web as number, {
        path: "/",
        headers: { "x-routing-key": KEY },
      });
      const at = performance.now();
      if (status === 200 && JSON.parse(body).service === service) {
        agent.destroy();
        return at;
      }
      await sleep(1);
      if (at > patience) throw new Error(`an Envoy does not follow the route server:\n${proxy.lastWords()}`);
    }
  };
  return Math.max(...(await Promise.all(Array.from({ length: CONNECTIONS }, connection))));
}
