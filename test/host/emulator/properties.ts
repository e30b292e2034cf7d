// The properties that a module can read, by their NUL-separated path.
import type { Context, Exchange } from "./context.ts";

function number(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}

/** By Envoy's numbers; any other word is no direction. */
const DIRECTIONS = ["", "inbound", "outbound"];

const text = (value: string | undefined) => (value === undefined ? undefined : Buffer.from(value, "latin1"));

function ofRequest({ headers }: Exchange, part: string, name: string | undefined): Buffer | undefined {
  const path = headers.first(":path");
  if (part === "headers" && name !== undefined) {
    const values = headers.all(name);
    return values.length === 0 ? undefined : text(values.join(","));
  }
  if (part === "path") return text(path);
  if (part === "url_path") return text(path?.split("?")[0] ?? "");
  if (part === "query") return text(path?.split("?").slice(1).join("?").split("#")[0] ?? "");
  if (part === "host") return text(headers.first(":authority"));
  if (part === "method") return text(headers.first(":method"));
  return undefined;
}

function ofExchange(exchange: Exchange, [first, second = "", third, ...more]: string[]): Buffer | undefined {
  if (first === "request") return ofRequest(exchange, second, third);
  if (first === "xds" && second === "listener_direction")
    return number(Math.max(0, DIRECTIONS.indexOf(exchange.direction)));
  if (first === "xds" && second === "cluster_metadata") return text(exchange.services[Number(more[2])]);
  if (first === "xds") return second === "cluster_name" ? text(exchange.cluster) : undefined;
  if (first === "connection") return second === "uri_san_peer_certificate" ? text(exchange.caller) : undefined;
  if (first === "destination") return second === "port" ? number(exchange.port) : undefined;
  if (first === "filter_state") return second.startsWith("wasm.") ? exchange.state.get(second.slice(5)) : undefined;
  if (first === "response") {
    if (second === "code_details") return exchange.details ? text(exchange.details) : undefined;
    if (second === "code") return exchange.status ? number(exchange.status) : undefined;
    if (second === "flags") return number(exchange.flags);
    return undefined;
  }
  if (first === "upstream") {
    return second === "num_endpoints" && exchange.endpoints !== undefined ? number(exchange.endpoints) : undefined;
  }
  if (first === "metadata") return exchange.subset && third === "envoy.lb" ? Buffer.from("version") : undefined;
  return exchange.state.get(first ?? "");
}

export function property(context: Context, vmId: string, path: string): Buffer | undefined {
  const parts = path.split("\0");
  if (parts.length === 1) {
    if (path === "plugin_name") return text(context.plugin?.name);
    if (path === "plugin_root_id") return text(context.plugin?.rootId ?? "");
    if (path === "plugin_vm_id") return text(vmId);
  }
  return context.exchange && ofExchange(context.exchange, parts);
}
