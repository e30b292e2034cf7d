import { toYaml } from "../cli/output.ts";
import type { KubeObject } from "../cluster/object.ts";
import { PREVIOUS_ANNOTATION } from "../manifests/names.ts";
import { contents } from "./apply.ts";

/** Lines around a change that are shown with it. */
const CONTEXT = 3;

/** What would change in one object, as a unified diff of its YAML; empty when nothing would. */
export function diffObjects(before: KubeObject | undefined, after: KubeObject | undefined, name: string): string {
  const old = before === undefined ? [] : lines(before);
  const now = after === undefined ? [] : lines(after);
  const script = edits(old, now);
  if (script.every(({ sign }) => sign === " ")) return "";
  const near = script.map((_, at) =>
    script.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ sign }) => sign !== " "),
  );
  const body = script.flatMap(({ sign, line }, at) => {
    if (near[at]) return [`${sign} ${line}`];
    return near[at - 1] ? ["  …"] : [];
  });
  return [`--- ${name}`, `+++ ${name}`, ...body, ""].join("\n");
}

/** The packed version before is nothing to read. */
function lines(object: KubeObject): string[] {
  const { [PREVIOUS_ANNOTATION]: _, ...annotations } = object.metadata?.annotations ?? {};
  return toYaml(contents({ ...object, metadata: { ...object.metadata, annotations } }))
    .trimEnd()
    .split("\n");
}

interface Line {
  sign: " " | "-" | "+";
  line: string;
}

/** The longest common subsequence of what lies between the common head and tail; quadratic in that part alone. */
function edits(old: string[], now: string[]): Line[] {
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head++;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++;
  const keep = (line: string): Line => ({ sign: " ", line });
  return [
    ...old.slice(0, head).map(keep),
    ...middle(old.slice(head, old.length - tail), now.slice(head, now.length - tail)),
    ...old.slice(old.length - tail).map(keep),
  ];
}

/** Cells of the table beyond which a change is shown as all old lines and then all new ones. */
const LARGEST = 4_000_000;

function middle(old: string[], now: string[]): Line[] {
  if (old.length * now.length > LARGEST) {
    return [...old.map((line): Line => ({ sign: "-", line })), ...now.map((line): Line => ({ sign: "+", line }))];
  }
  const common = Array.from({ length: old.length + 1 }, () => new Uint32Array(now.length + 1));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      const row = common[i];
      if (row) row[j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const script: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      script.push({ sign: " ", line: old[i++] ?? "" });
      j++;
    } else if (j >= now.length || (i < old.length && at(i + 1, j) >= at(i, j + 1))) {
      script.push({ sign: "-", line: old[i++] ?? "" });
    } else {
      script.push({ sign: "+", line: now[j++] ?? "" });
    }
  }
  return script;
}
