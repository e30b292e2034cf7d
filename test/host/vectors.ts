// The vectors that the module and its TypeScript twin must both agree with.
import { readFileSync } from "node:fs";
import type { Configuration } from "./reference/config.ts";
import type { Decision, Pairs } from "./reference/decide.ts";

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

/** What is decided for requests, at a time. */
export const decisions: {
  name: string;
  now?: string;
  config: Configuration;
  requests: { cluster: string | null; headers: Pairs; decision: Decision }[];
}[] = read("decisions");
