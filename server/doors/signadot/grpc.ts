// The service `routes.Routes` of package `routes` over plain HTTP/2.
import { createServer, type Server as NetServer, type Socket } from "node:net";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { decodeRequest, encodeOperation, encodeRules } from "./codec.ts";
import type { Filter, RuleTable } from "./rule-table.ts";
import { Watch } from "./watch.ts";

/** What clients in Go take in one message, in bytes. */
const MOST_BYTES = 4 * 1024 * 1024;

const TOO_MANY = {
  code: status.RESOURCE_EXHAUSTED,
  details:
    `the rules are more than the ${MOST_BYTES} bytes that clients take in one message; ` +
    "ask for those of one baseline_workload, routing_key or destination_sandbox, or use WatchWorkloadRoutingRules",
};

const OPTIONS = {
  "grpc.max_receive_message_length": 64 * 1024,
  "grpc.max_concurrent_streams": 100,
  // Whoever has gone without a word is noticed within a minute.
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 20_000,
  "grpc.enable_channelz": 0,
};

export class GrpcDoor {
  /** What listens. */
  readonly server: NetServer;
  readonly #table: RuleTable;
  readonly #grpc = new Server(OPTIONS);
  readonly #connections = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<ServerWritableStream<Filter, Buffer>>();

  /** `table` has to be loaded: a client forgets the rules that an empty one lacks. */
  constructor(table: RuleTable, maxConnections: number) {
    this.#table = table;
    const same = (bytes: Buffer) => bytes;
    const name = (method: string) => `/routes.Routes/${method}WorkloadRoutingRules`;
    this.#grpc.register(name("Get"), this.#get, same, decodeRequest, "unary");
    this.#grpc.register(name("Watch"), this.#watch, same, decodeRequest, "serverStream");
    this.server = createServer({ noDelay: true }, (socket) => this.#admit(socket));
    this.server.maxConnections = maxConnections;
  }

  /** How many clients watch. */
  get watches(): number {
    return this.#watches.size;
  }

  /** Tells clients to go elsewhere, ends what they watch, and waits until they have gone, at most `limitMs`. */
  async close(limitMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.#connections.destroy();
    const ending = { code: status.UNAVAILABLE, details: "this route server ends; watch again", metadata: null };
    for (const call of this.#watches) call.emit("error", ending);
    const late = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, limitMs);
    await closed;
    clearTimeout(late);
  }

  #admit(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    this.#connections.injectConnection(socket);
  }

  readonly #get = ({ request }: ServerUnaryCall<Filter, Buffer>, answer: sendUnaryData<Buffer>): void => {
    const rules = encodeRules(this.#table.rules(request), MOST_BYTES);
    if (rules) answer(null, rules);
    else answer(TOO_MANY);
  };

  readonly #watch = (call: ServerWritableStream<Filter, Buffer>): void => {
    const watch = new Watch(this.#table, call.request);
    let isFull = false;
    const send = () => {
      while (!isFull) {
        const operations = watch.next();
        if (operations === undefined) return;
        for (const operation of operations) isFull = !call.write(encodeOperation(operation));
      }
    };
    const stop = this.#table.onChange((changes) => {
      watch.changed(changes);
      send();
    });
    this.#watches.add(call);
    const end = () => {
      stop();
      isFull = true;
      this.#watches.delete(call);
    };
    call.once("cancelled", end).once("error", end).once("close", end);
    call.on("drain", () => {
      isFull = !this.#watches.has(call);
      send();
    });
    send();
  };
}
