// A small Kubernetes API server in this process, for unit tests of what talks to one.
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import { json } from "node:stream/consumers";
import { Faults } from "./faults.ts";
import { answer, keyOf, type ServedRequest } from "./handle.ts";
import { Pods } from "./port-forward.ts";
import { Refusal } from "./status.ts";
import { Store, type Stored } from "./store.ts";
import { certificate } from "./tls.ts";

/** What somebody asks to be allowed, as in a SelfSubjectAccessReview. */
export interface Attributes {
  verb: string;
  group: string;
  resource: string;
  subresource?: string;
  namespace?: string;
  name?: string;
}

export class ApiServer {
  readonly url: string;
  readonly store = new Store();
  readonly faults = new Faults();
  readonly pods = new Pods();
  /** Answers of `services/proxy`: `istio-system/istiod:15014/version` to a text. */
  readonly services = new Map<string, string>();
  /** Whose a token is, for TokenReviews. */
  readonly tokens = new Map<string, string>();
  /** The same of tokens that mean nothing to the API server itself, by their audience. */
  readonly tokensFor = new Map<string, Map<string, string>>();
  /** What others may do, for SubjectAccessReviews: `ci: create routes`, `proxy: get /v1/table`. */
  readonly grants = new Set<string>();
  /** Every request so far: `GET /api/v1/namespaces/demo/pods?limit=500`. */
  readonly requests: string[] = [];
  /** The headers of the newest request. */
  lastHeaders: IncomingMessage["headers"] = {};
  may: (attributes: Attributes) => boolean = () => true;
  readonly #server: Server;

  constructor(server: Server, scheme: string) {
    const { port } = server.address() as { port: number };
    this.url = `${scheme}://127.0.0.1:${port}`;
    this.#server = server;
    server.on("request", (request, response) => void this.#serve(request, response));
    server.on("upgrade", (request, socket, head) => {
      this.requests.push(`${request.method} ${request.url}`);
      const [, namespace, pod, port] =
        /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/portforward\?ports=(\d+)$/.exec(`${request.url}`) ?? [];
      if (this.faults.commit(request, new UpgradeResponse(socket) as unknown as ServerResponse)) return;
      this.pods.upgrade(request, socket, head, `${namespace}/${pod}`, Number(port));
    });
  }

  /** Puts objects there as they are, whoever made them. */
  put(...objects: Stored[]): void {
    for (const object of objects) this.store.put(keyOf(object), object);
  }

  /** Writes fields of an object as somebody else would, say with `kubectl edit`. */
  edit(manager: string, object: Stored): void {
    this.store.apply(keyOf(object), object, { manager, force: true, operation: "Update" }, false);
  }

  delete(object: Pick<Stored, "apiVersion" | "kind" | "metadata">): void {
    this.store.delete(keyOf(object), {}, false);
  }

  find(object: Pick<Stored, "apiVersion" | "kind" | "metadata">): Stored | undefined {
    return this.store.find(keyOf(object));
  }

  /** Ends all connections, those of watches among them. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.pods.close();
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(`${request.method} ${request.url}`);
    this.lastHeaders = request.headers;
    if (this.faults.commit(request, response)) return;
    const url = new URL(`${request.url}`, this.url);
    const hasBody = Number(request.headers["content-length"] ?? 0) > 0 || request.headers["transfer-encoding"];
    const served: ServedRequest = {
      method: `${request.method}`,
      parts: url.pathname.split("/").slice(1).map(decodeURIComponent),
      query: url.searchParams,
      body: hasBody ? await json(request) : undefined,
      response,
    };
    try {
      const answered = answer(this, served);
      if (answered !== undefined) send(response, answered.code, answered.body);
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      send(response, thrown.code, thrown.body());
    }
  }
}

function send(response: ServerResponse, code: number, body: unknown): void {
  const isText = typeof body === "string";
  response.writeHead(code, { "content-type": isText ? "text/plain" : "application/json" });
  response.end(isText ? body : JSON.stringify(body));
}

/** Lets a fault answer a request that would become another protocol. */
class UpgradeResponse {
  readonly #socket: NodeJS.WritableStream;

  constructor(socket: NodeJS.WritableStream) {
    this.#socket = socket;
  }

  writeHead(code: number, headers: Record<string, string>): void {
    const lines = Object.entries({ ...headers, connection: "close" }).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#socket.write(`HTTP/1.1 ${code} Refused\r\n${lines.join("")}\r\n`);
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  end(text: string): void {
    this.#socket.end(text);
  }
}

/** Starts a server on 127.0.0.1; with TLS it shows the certificate of `tls.ts`. */
export async function startApiServer({ tls = false } = {}): Promise<ApiServer> {
  const server = tls ? createHttps(certificate) : createHttp();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return new ApiServer(server, tls ? "https" : "http");
}
