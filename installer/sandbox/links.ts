import type { Edge } from "../../routes/model/edge.ts";
import { linkNames } from "../../routes/model/links.ts";
import { DEFAULT_SOURCE } from "../../routes/model/names.ts";
import { parseSource, type Source, sourceText } from "../../routes/model/sources.ts";
import { UsageError } from "../../shared/errors.ts";
import { readInput, withFileErrors } from "../../shared/input.ts";
import type { Io } from "../../shared/io.ts";
import type { LinkFlags } from "../cli/link-flags.ts";
import { progress } from "../cli/progress.ts";

/** How a person opens a preview. */
export interface Links {
  urls: string[];
  /** Where no link can carry the key: what to send instead. */
  instead?: string;
}

const HOST_LABEL = /^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/i;

/** The links that carry the key to where the sources look for it: in the host's name, or in the query. */
export function linksFor(url: URL, key: string, sources: readonly Source[]): Links {
  const urls = sources.flatMap((source) => linkBy(url, key, source) ?? []);
  if (urls.length > 0) return { urls: [...new Set(urls)] };
  const header = sources.find(({ kind }) => kind === "header");
  const instead = header
    ? `curl -H '${header.name}: ${key}' ${url}`
    : `none of ${sources.map(sourceText).join(", ")} can stand in a link`;
  return { urls, instead };
}

function linkBy(url: URL, key: string, { kind, name }: Source): string | undefined {
  const link = new URL(url);
  if (kind === "host") {
    if (!HOST_LABEL.test(key)) return undefined;
    link.hostname = `${key}${name}`;
    return link.href;
  }
  if (kind !== "query") return undefined;
  link.searchParams.set(name, key);
  return link.href;
}

/** What proxies say of keys that come in links. */
interface Way {
  sources: readonly Source[];
  edge?: Edge | undefined;
}

/** The links of a key to each address of the flags; without an address there are none. Reads the route file that the flags name. */
export async function linkerFor(flags: LinkFlags, io: Io): Promise<(key: string) => Links[]> {
  const { link: addresses = [] } = flags;
  if (addresses.length === 0) return () => [];
  const { sources, edge } = await wayOf(flags, io);
  return (key) =>
    addresses.map((url) => {
      const instead = edge && withoutPlainKeys(edge, key);
      return instead === undefined ? linksFor(url, key, sources) : { urls: [], instead };
    });
}

/** Tells a person of links that there can't be. */
export function warnOfLinks(io: Io, links: readonly Links[]): void {
  for (const instead of new Set(links.flatMap((one) => one.instead ?? [])))
    progress(io).warn(`no link can carry the key; instead: ${instead}`);
}

function withoutPlainKeys({ accept }: Edge, key: string): string | undefined {
  if (accept === "signed")
    return `this edge takes signed keys alone, which \`keyway key sign ${key}\` makes; one of them stands in a link as a key does`;
  return accept === "none" ? "this edge takes no keys from outside" : undefined;
}

async function wayOf({ keys, routes }: LinkFlags, io: Io): Promise<Way> {
  if (keys !== undefined || routes === undefined) return { sources: (keys ?? [DEFAULT_SOURCE]).flatMap(sourceIn) };
  const { parseRouteFile } = await import("../../routes/reading/route-file.ts");
  const text = await readInput(routes, io);
  const file = withFileErrors(routes, () => parseRouteFile(text));
  const names = linkNames(file.link);
  const linked = names === undefined ? [] : [`query:${names.query}`];
  return { sources: [...linked, ...file.keys].flatMap(sourceIn), edge: file.edge };
}

function sourceIn(text: string): readonly Source[] {
  const sources = parseSource(text);
  if (sources instanceof Error) throw new UsageError(`--keys ${text}: ${sources.message}`);
  return sources;
}
