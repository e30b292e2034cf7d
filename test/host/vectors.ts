// The vectors that the module and its TypeScript twin must both agree with.
import { readFileSync } from "node:fs";
import type { Pairs } from "./emulator/headers.ts";
import type { Decision } from "./expected.ts";

const read = (name: string) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));

/** Values of JSON that are no configuration, and what is wrong with them, place first. */
export const errors: { name: string; config: unknown; error: string }[] = read("errors");

/** The same for texts that are no JSON. */
export const malformed: { name: string; text?: string; base64?: string; error: string }[] = read("malformed");

/** Where a source finds keys: all of them, in order. */
export const sources: {
  name: string;
  source: string;
  headers: Pairs;
  cluster?: string;
  candidates: string[];
}[] = read("sources");

/** The same for the claims of tokens. */
export const tokens: typeof sources = read("tokens");

/** What is decided for requests, at a time. */
export const decisions: {
  name: string;
  now?: string;
  config: { routes?: { to?: string; split?: { to: string }[] }[] };
  requests: { cluster: string | null; headers: Pairs; caller?: string; decision: Decision }[];
}[] = read("decisions");

/** The same where texts that are no keys count: of conditions and of sticky sources. */
export const texts: typeof decisions = read("texts");

/** What is said of requests, word by word; `missing` names the targets that are known to be missing. */
export const explanations: {
  name: string;
  config: object;
  requests: { cluster: string | null; headers: Pairs; missing?: string[]; explanation: object }[];
}[] = read("explanations");

/** The same where `edge` says which keys are taken. */
export const edges: typeof decisions = read("edge");
