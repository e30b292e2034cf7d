// The requests that show what envoy.yaml's routes do, one after the other on one connection.
import { Agent, get } from "node:http";
import type { Envoy } from "../proxy/run.ts";

type Shown = { path: string; headers: Record<string, string> };
export type Taken = Shown & { status: number; body: string; decision: string };

const SHOWN: Shown[] = [
  { path: "/", headers: {} },
  { path: "/", headers: { "x-routing-key": "pr-42" } },
  { path: "/", headers: { baggage: "sd-routing-key=pr-42" } },
  { path: "/", headers: { cookie: "preview=pr-42" } },
  { path: "/ratings", headers: { "x-routing-key": "pr-7" } },
  { path: "/", headers: { cookie: "user=alice" } },
  { path: "/ratings", headers: { cookie: "session=judy" } },
  { path: "/ratings", headers: { cookie: "session=ivan" } },
  { path: "/", headers: { "x-routing-key": "pr-77" } },
  { path: "/", headers: { "x-routing-key": "not one key" } },
  { path: "/", headers: { "x-keyway-cluster": "reviews-pr-42" } },
  { path: "/", headers: { "x-routing-key": "pr-42", "x-keyway-routed": "reviews-pr-42" } },
  { path: "/", headers: { "x-routing-key": "pr-9" } },
  { path: "/", headers: { "x-routing-key": "pr-42", "x-keyway-explain": "1" } },
];

/** Sends them all; `decision` is what Envoy's access log says of the request after "keyway:". */
export async function send(envoy: Envoy): Promise<Taken[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const taken: Taken[] = [];
  for (const shown of SHOWN) {
    const logged = envoy.accessLog.all.length;
    const answer = await ask(agent, envoy.ports.web as number, shown);
    const line = await envoy.accessLog.find(/ keyway: /, logged);
    taken.push({ ...shown, ...answer, decision: line?.split(" keyway: ")[1] ?? "" });
  }
  agent.destroy();
  return taken;
}

export function ask(agent: Agent, port: number, { path, headers }: Shown): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    get({ agent, host: "127.0.0.1", port, path, headers }, async (response) => {
      const body = (await response.setEncoding("utf8").toArray()).join("");
      resolve({ status: response.statusCode ?? 0, body });
    }).on("error", reject);
  });
}
