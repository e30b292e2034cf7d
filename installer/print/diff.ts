import { structuredPatch } from "diff";
import type { KubeObject } from "../../shared/cluster/object.ts";
import { toYaml } from "../cli/output.ts";
import { contents } from "../manifests/contents.ts";
import { PREVIOUS_ANNOTATION } from "../manifests/names.ts";

/** Lines around a change that are shown with it. */
const CONTEXT = 3;
/** Lines that differ beyond which all old lines are shown before all new ones: finding the fewest takes the square of it. */
const MOST_EDITS = 4_000;

/** What would change in one object, as a unified diff of its YAML; empty when nothing would. */
export function diffObjects(before: KubeObject | undefined, after: KubeObject | undefined, name: string): string {
  return diffTexts(yamlOf(before), yamlOf(after), name);
}

/** What would change in a text, as a unified diff; empty when nothing would. */
export function diffTexts(old: string, now: string, name: string): string {
  if (old === now) return "";
  const [before, after] = withoutSecrets(old, now);
  const patch = structuredPatch(name, name, before, after, "", "", { context: CONTEXT, maxEditLength: MOST_EDITS });
  const body = patch === undefined ? replaced(before, after) : hunkLines(patch.hunks, before);
  return [`--- ${name}`, `+++ ${name}`, ...body, ""].join("\n");
}

/** The token of a live table and what signs keys, as a plugin configuration has them in JSON, in JSON within JSON, and in YAML. */
const SECRETS = /(\\?"(?:token|secret)\\?":\s*\\?"|\b(?:token|secret): "?)[!-~]+?(?=\\?"|$)/gm;

/** Two texts in which a secret shows nothing but whether it is another one. */
function withoutSecrets(old: string, now: string): [string, string] {
  const before = new Set(old.match(SECRETS));
  const shown = (text: string) =>
    text.replace(SECRETS, (secret, name: string) => `${name}***${before.has(secret) ? "" : " (another one)"}`);
  return [shown(old), shown(now)];
}

/** The packed version before is left out: nobody can read it. */
function yamlOf(object: KubeObject | undefined): string {
  if (object === undefined) return "";
  const { [PREVIOUS_ANNOTATION]: _, ...annotations } = object.metadata?.annotations ?? {};
  return toYaml(contents({ ...object, metadata: { ...object.metadata, annotations } }));
}

interface Hunk {
  oldStart: number;
  oldLines: number;
  lines: string[];
}

/** The lines of all hunks with an ellipsis where unchanged lines are left out behind one. */
function hunkLines(hunks: readonly Hunk[], old: string): string[] {
  const total = linesOf(old).length;
  return hunks.flatMap(({ oldStart, oldLines, lines }) => {
    const shown = lines.map((line) => `${line[0]} ${line.slice(1)}`);
    return oldStart + oldLines - 1 < total ? [...shown, "  …"] : shown;
  });
}

function replaced(old: string, now: string): string[] {
  return [...linesOf(old).map((line) => `- ${line}`), ...linesOf(now).map((line) => `+ ${line}`)];
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.trimEnd().split("\n");
}
