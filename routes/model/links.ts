import type { Configuration } from "./model.ts";
import { LINK_NAME } from "./names.ts";

export interface LinkNames {
  /** The parameter. */
  query: string;
  cookie: string;
}

/** Undefined where a configuration has no links. */
export function linkNames(link: Configuration["link"]): LinkNames | undefined {
  if (link === undefined || link === false) return undefined;
  const { query = LINK_NAME, cookie = LINK_NAME } = link === true ? {} : link;
  return { query, cookie };
}

export function hasLinks({ link }: Pick<Configuration, "link">): boolean {
  return linkNames(link) !== undefined;
}
