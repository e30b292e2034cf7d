// The emulated host's route server, over HTTP: it holds a question with nothing new until something has changed.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Route } from "../../../routes/index.ts";
import type { Pairs } from "../../host/emulator/headers.ts";
import { RouteServer } from "../../host/route-server.ts";

export class LiveServer {
  readonly server = new RouteServer();
  readonly #http: Server;
  #waiting = new Set<() => void>();

  constructor() {
    this.#http = createServer((request, response) => {
      const headers: Pairs = [[":path", request.url ?? "/"]];
      const answer = () => {
        const answered = this.server.answer({ cluster: "keyway", headers, timeoutMs: 0 });
        if (!answered || answered === "reset") return false;
        response.writeHead(answered.status, { "content-type": "application/octet-stream" }).end(answered.body);
        return true;
      };
      if (answer()) return;
      const again = () => {
        if (answer()) this.#waiting.delete(again);
      };
      this.#waiting.add(again);
      response.on("close", () => this.#waiting.delete(again));
    });
  }

  async listen(port = 0): Promise<number> {
    this.#http.listen(port, "127.0.0.1");
    await once(this.#http, "listening");
    return (this.#http.address() as AddressInfo).port;
  }

  apply(changes: Record<string, Route | undefined>): void {
    this.server.apply(changes);
    for (const again of [...this.#waiting]) again();
  }

  async stop(): Promise<void> {
    this.#http.close();
    this.#http.closeAllConnections();
    await once(this.#http, "close");
  }
}
