// A workload behind a real Envoy that stands on its way in and on its way out, as a sidecar does. The application calls the next service
// once for each request, and sends nothing on but the headers that it is told to keep.
import { once } from "node:events";
import { Agent, createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import type { Bed } from "./bed.ts";
import { portOut, startBothWays } from "./both-ways.ts";
import { type Answer, ask, type HeaderList } from "./client.ts";

export const KEEP = "x-keep";

type Setup = { inbound: object; outbound: object; targets: string[]; concurrency?: number };

export class Workload {
  readonly bed: Bed;
  private readonly close: () => Promise<void>;

  constructor(bed: Bed, close: () => Promise<void>) {
    this.bed = bed;
    this.close = close;
  }

  /** What the next service says of the call that the application makes for this request. */
  ask(headers: HeaderList, keep: readonly string[], path = "/"): Promise<Answer> {
    return ask(this.bed.port, { path, headers: [...headers, [KEEP, keep.join()]], agent: this.agent });
  }

  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });

  async stop(): Promise<void> {
    this.agent.destroy();
    await this.bed.stop();
    await this.close();
  }
}

export async function startWorkload({ inbound, outbound, targets, concurrency = 2 }: Setup): Promise<Workload> {
  let next = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const app = createServer((request, response) => {
    const kept = String(request.headers[KEEP]).split(",");
    const pairs = Array.from({ length: request.rawHeaders.length / 2 }, (_, i) =>
      request.rawHeaders.slice(2 * i, 2 * i + 2),
    );
    const headers = ["host", "next", ...pairs.filter(([name = ""]) => kept.includes(name.toLowerCase())).flat()];
    const failed = (error: Error) => response.destroy(error);
    request.on("error", failed).resume();
    send({ host: "127.0.0.1", port: next, path: "/", headers, agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on("error", failed).pipe(response);
    })
      .on("error", failed)
      .end();
  });
  app.listen(0, "127.0.0.1");
  await once(app, "listening");
  const bed = await startBothWays({
    app: (app.address() as AddressInfo).port,
    inbound,
    outbound,
    targets,
    concurrency,
  });
  next = portOut(bed);
  return new Workload(bed, async () => {
    agent.destroy();
    app.closeAllConnections();
    const closed = once(app, "close");
    app.close();
    await closed;
  });
}
