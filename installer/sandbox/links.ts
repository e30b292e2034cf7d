import type { Source } from "../../routes/model/sources.ts";
import { sourceText } from "../../routes/model/sources.ts";

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
