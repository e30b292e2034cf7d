// A client of the routes API that reads messages by their published description, and shares no code with the server.
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import protobuf from "protobufjs";
import { onTestFinished } from "vitest";
import type { Rule } from "../../server/doors/signadot/rules.ts";

const text = (id: number) => ({ type: "string", id });
const number = (id: number) => ({ type: "uint32", id });
const list = (type: string, id: number) => ({ rule: "repeated", type, id });

const root = protobuf.Root.fromJSON({
  nested: {
    WorkloadRoutingRulesRequest: {
      fields: {
        baselineWorkload: { type: "BaselineWorkload", id: 1 },
        routingKey: text(2),
        destinationSandbox: { type: "DestinationSandbox", id: 3 },
      },
    },
    BaselineWorkload: { fields: { kind: text(1), namespace: text(2), name: text(3) } },
    DestinationSandbox: { fields: { name: text(1) } },
    WorkloadRoutingRule: {
      fields: {
        routingKey: text(1),
        baseline: { type: "BaselineWorkload", id: 2 },
        destinationSandbox: { type: "DestinationSandbox", id: 3 },
        mappings: list("WorkloadPortMapping", 4),
      },
    },
    WorkloadPortMapping: { fields: { workloadPort: number(1), destinations: list("Location", 2) } },
    Location: { fields: { host: text(1), port: number(2) } },
    GetWorkloadRoutingRulesResponse: { fields: { routingRules: list("WorkloadRoutingRule", 1) } },
    WatchOp: { values: { ADD: 0, REMOVE: 1, REPLACE: 2, SYNCED: 3 } },
    WorkloadRoutingRuleOp: {
      fields: { op: { type: "WatchOp", id: 1 }, route: { type: "WorkloadRoutingRule", id: 2 } },
    },
  },
});

const encode = (type: string) => (value: object) => {
  const known = root.lookupType(type);
  return Buffer.from(known.encode(known.create(value)).finish());
};
// Fields that were not sent are absent, so that a test sees what a client in Go would find to be nil.
const decode = (type: string) => (bytes: Buffer) => {
  const known = root.lookupType(type);
  return known.toObject(known.decode(bytes), { enums: String, arrays: true });
};

export interface Request {
  baselineWorkload?: { kind?: string; namespace?: string; name?: string };
  routingKey?: string;
  destinationSandbox?: { name?: string };
}

export interface Operation {
  op: string;
  route?: Rule;
}

export class RoutesClient {
  readonly #client: Client;

  constructor(address: string, options: Record<string, unknown> = {}) {
    this.#client = new Client(address, credentials.createInsecure(), options);
    onTestFinished(() => this.#client.close());
  }

  /** The rules, or the error. */
  get(request: Request = {}): Promise<Rule[] | ServiceError> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        "/routes.Routes/GetWorkloadRoutingRules",
        encode("WorkloadRoutingRulesRequest"),
        decode("GetWorkloadRoutingRulesResponse"),
        request,
        (error, answer) => resolve(error ?? (answer as { routingRules: Rule[] }).routingRules),
      );
    });
  }

  /** A call with bytes of the test's choice. */
  raw(path: string, bytes: Buffer): Promise<ServiceError | Buffer> {
    const same = (given: Buffer) => given;
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(path, same, same, bytes, (error, answer) => resolve(error ?? (answer as Buffer)));
    });
  }

  watch(request: Request = {}): Watched {
    const call = this.#client.makeServerStreamRequest(
      "/routes.Routes/WatchWorkloadRoutingRules",
      encode("WorkloadRoutingRulesRequest"),
      decode("WorkloadRoutingRuleOp"),
      request,
    );
    return new Watched(call);
  }
}

/** What a watch has brought. */
export class Watched {
  readonly operations: Operation[] = [];
  readonly call: ReturnType<Client["makeServerStreamRequest"]>;
  /** The status with which it ended. */
  ended: number | undefined;

  constructor(call: ReturnType<Client["makeServerStreamRequest"]>) {
    this.call = call;
    call.on("data", (operation: Operation) => this.operations.push(operation));
    call.on("error", ({ code }: ServiceError) => {
      this.ended = code;
    });
    call.on("end", () => {
      this.ended ??= status.OK;
    });
    onTestFinished(() => call.cancel());
  }

  get synced(): boolean {
    return this.operations.some(({ op }) => op === "SYNCED");
  }
}
