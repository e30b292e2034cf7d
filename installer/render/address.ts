import { InvalidArgumentError } from "commander";
import type { Address } from "./parts.ts";

/** `HOST:PORT`, with an IPv6 address in brackets. */
export function parseAddress(text: string): Address {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65535) throw new InvalidArgumentError("expected HOST:PORT.");
  return { host, port };
}

/** Adds `NAME=HOST:PORT` to what was given before. */
export function collectCluster(text: string, before: ReadonlyMap<string, Address> = new Map()): Map<string, Address> {
  const equals = text.lastIndexOf("=");
  if (equals < 1) throw new InvalidArgumentError("expected NAME=HOST:PORT.");
  return new Map(before).set(text.slice(0, equals), parseAddress(text.slice(equals + 1)));
}

/** Adds `HOST:PORT` to what was given before. */
export function collectAddress(text: string, before: readonly Address[] = []): Address[] {
  return [...before, parseAddress(text)];
}

export interface Baseline {
  prefix: string;
  cluster: string;
}

/** Adds `[/PATH=]CLUSTER` to what was given before. */
export function collectBaseline(text: string, before: readonly Baseline[] = []): Baseline[] {
  const [, prefix = "/", cluster] = /^(?:(\/[^=]*)=)?(.+)$/.exec(text) ?? [];
  if (cluster === undefined) throw new InvalidArgumentError("expected CLUSTER or /PATH=CLUSTER.");
  return [...before, { prefix, cluster }];
}
