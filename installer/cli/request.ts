import { InvalidArgumentError } from "commander";
import type { Pairs } from "../../routes/deciding/scan.ts";
import { toLatin1 } from "../../routes/model/bytes.ts";

/**
 * `[METHOD] /path`, or `[METHOD] http://host/path`, as the headers of HTTP/2; undefined for anything else. A fragment and
 * credentials are left out, which no client puts there.
 */
export function parseRequestLine(text: string): Pairs | undefined {
  const [, method = "GET", target = ""] = /^(?:([A-Za-z]+)\s+)?(\S+)(?:\s+HTTP\/[\d.]+)?$/.exec(text.trim()) ?? [];
  const url = URL.canParse(target) ? /^https?:\/\/(?:[^/?#]*@)?([^/?#@]+)([^#]*)/i.exec(target) : null;
  const [, authority, path] = url ?? [undefined, undefined, target.replace(/#.*/s, "")];
  if (!url && !target.startsWith("/")) return undefined;
  const asPath = path?.startsWith("/") ? path : `/${path}`;
  return [
    [":method", method.toUpperCase()],
    [":path", toLatin1(asPath)],
    ...(authority === undefined ? [] : ([[":authority", toLatin1(authority)]] as const)),
  ];
}

/** Adds `name: value` to what was given before. */
export function collectHeader(text: string, before: Pairs = []): Pairs {
  const [, name, value] = /^(:?[^\s:]+)\s*:\s*(.*?)\s*$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('expected "name: value".');
  const lower = name.toLowerCase();
  return [...before, [lower === "host" ? ":authority" : lower, toLatin1(value)]];
}
