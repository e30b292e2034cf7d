import { LAYOUT, WAIT_SECONDS } from "../../routes/model/feed.ts";
import { fromHex, type U64 } from "../../routes/model/u64.ts";
import { parseScope, type Scope } from "./scope.ts";

/** What a proxy says that it has, and wants. */
export interface Question {
  scope: Scope;
  /** The revision that it holds; a server without a write has 0. */
  revision: number;
  /** Undefined as long as it holds nothing. */
  history: U64 | undefined;
  /** Of its table, where that is consistent at the revision. */
  digest: U64 | undefined;
  /** The bucket at which a sweep goes on. */
  next: number;
  /** How long the question may be held when there is nothing new, in milliseconds. */
  wait: number;
}

const MOST_SECONDS = 60;

/** An Error's message says what is wrong with the query. */
export function parseQuestion(query: URLSearchParams): Question | Error {
  const layout = number(query, "layout", LAYOUT);
  const numbers = [layout, number(query, "revision", 0), number(query, "next", 0), number(query, "wait", WAIT_SECONDS)];
  const wrong = numbers.find((one) => one instanceof Error);
  if (wrong) return wrong;
  const [, revision = 0, next = 0, wait = 0] = numbers as number[];
  if (layout !== LAYOUT) {
    return new Error(
      `layout: this server makes layout ${LAYOUT}, not ${layout}; proxies need the module of its release`,
    );
  }
  const scope = parseScope(query.get("scope") ?? "");
  if (scope instanceof Error) return scope;
  const hexes = ["history", "digest"].map((name) => {
    const text = query.get(name);
    if (text === null || text === "") return undefined;
    return fromHex(text) ?? new Error(`${name}: expected 1 to 16 hexadecimal digits`);
  });
  const wrongHex = hexes.find((one) => one instanceof Error);
  if (wrongHex) return wrongHex;
  const [history, digest] = hexes as (U64 | undefined)[];
  return { scope, revision, history, digest, next, wait: Math.min(wait, MOST_SECONDS) * 1000 };
}

function number(query: URLSearchParams, name: string, otherwise: number): number | Error {
  const text = query.get(name);
  if (text === null || text === "") return otherwise;
  const value = Number(text);
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(value)
    ? value
    : new Error(`${name}: expected a whole number that is not negative`);
}
