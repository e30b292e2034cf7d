// Program: a control plane that gives its routes to Envoys by incremental route discovery over gRPC. Each message of its parent is a list
// of routes to set, answered as soon as they are set; the first message of its own is the port. It ends with its parent.
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { BASELINE } from "../../lib/bootstrap.ts";
import { KEY_HEADER } from "../../lib/load.ts";
import { NAME, SERVED, type Setting } from "./names.ts";
import { discoveryResponse, refusal, routeConfiguration, routeField } from "./protobuf.ts";

const header = KEY_HEADER.split(":")[0] as string;
const unchanged = (message: Buffer) => message;

/** Encoded once, since a change touches one of them. */
const routes = new Map<string, Buffer>();
const streams = new Set<ServerDuplexStream<Buffer, Buffer>>();
let version = 0;
let response = encoded();

function encoded(): Buffer {
  const all = [...routes.values(), routeField(BASELINE)];
  return discoveryResponse(NAME, `${++version}`, routeConfiguration(NAME, SERVED, all));
}

process.on("message", (settings: Setting[]) => {
  for (const { key, to } of settings) routes.set(key, routeField(to, { name: header, value: key }));
  process.send?.("set");
  response = encoded();
  for (const stream of streams) stream.write(response);
});
process.on("disconnect", () => process.exit(0));

function deltaRoutes(stream: ServerDuplexStream<Buffer, Buffer>): void {
  const leave = () => streams.delete(stream);
  stream.on("end", () => stream.end());
  stream.on("close", leave).on("error", leave).on("cancelled", leave);
  stream.on("data", (request: Buffer) => {
    const reason = refusal(request);
    if (reason !== undefined) throw new Error(`Envoy refuses the routes: ${reason}`);
    // All requests but the first one acknowledge a response.
    if (streams.has(stream)) return;
    streams.add(stream);
    stream.write(response);
  });
}

const server = new Server();
const method = {
  path: "/envoy.service.route.v3.RouteDiscoveryService/DeltaRoutes",
  requestStream: true,
  responseStream: true,
  requestSerialize: unchanged,
  requestDeserialize: unchanged,
  responseSerialize: unchanged,
  responseDeserialize: unchanged,
};
server.addService({ deltaRoutes: method }, { deltaRoutes });
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.send?.(port);
});
