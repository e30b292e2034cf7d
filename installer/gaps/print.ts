// The gaps of a mesh for people: a table, what it means for each workload, and lines to paste.
import type { Io } from "../../shared/io.ts";
import { count, table } from "../cli/output.ts";
import type { Flow } from "./flow.ts";
import { stacksFor } from "./stacks.ts";
import { GAPS, type Verdict } from "./verdict.ts";
import type { Workload } from "./workloads.ts";

export function gapsText(io: Io, workloads: readonly Workload[]): string {
  const header = ["workload", "proxies", "in with key", "handed on", "given back", "out without", "verdict"];
  const lines = workloads.flatMap((one) => findingsOf(one).map((text) => `${nameOf(one)} ${text}\n`));
  const findings = lines.length === 0 ? "" : `\n${lines.join("")}`;
  return table(io, header, workloads.map(row)) + findings + pasteText(io, workloads);
}

export function nameOf({ namespace, workload }: Workload): string {
  return `${namespace}/${workload.replace(/^.* /, "")}`;
}

const VERDICTS: Record<Verdict, string> = {
  "one way": "can't tell",
  unknown: "can't tell",
  idle: "no key yet",
  last: "ends here",
  forwards: "hands the key on",
  recovered: "drops it, given back",
  "partly lost": "partly lost",
  lost: "lost",
};

function row(one: Workload): string[] {
  const { flow } = one;
  const counted = flow && [flow.cameIn, flow.forwarded, flow.recovered, flow.unrecovered];
  return [
    `${one.namespace}/${one.workload}`,
    String(one.proxies),
    ...(counted?.map(String) ?? ["-", "-", "-", "-"]),
    VERDICTS[one.verdict],
  ];
}

/** What is to be known of a workload, each as the rest of a sentence that begins with its name. */
export function findingsOf(one: Workload): string[] {
  return [...mainFinding(one), ...sideFindings(one)];
}

function mainFinding({ verdict, ways, remedy, flow }: Workload): string[] {
  if (verdict === "one way") {
    const known = ways.includes("inbound")
      ? "in, so keys are remembered and never given back"
      : "out, so no key is remembered that could be given back";
    return [`has a memory of traces only on its way ${known}: ${remedy}`];
  }
  if (flow === undefined) return [];
  const { cameIn, cameInWithout, forwarded, unrecovered } = flow;
  if (verdict === "recovered")
    return [`drops the key and hands on ${headersOf(flow)}: that is enough, the proxy gives the key back`];
  if (verdict === "lost")
    return [
      `drops the key: ${count(cameIn, "request", "requests")} came in with one, and ${unrecovered} went out, all without. ${causeOf(flow)}`,
    ];
  if (verdict === "partly lost") {
    const kept = [
      ...(forwarded > 0 ? [`${forwarded} of its requests went out with the key`] : []),
      ...(flow.recovered > 0 ? [`${flow.recovered} had it given back by ${headersOf(flow)}`] : []),
    ];
    return [
      `drops the key on some of its calls: ${kept.join(", ")}, and ${unrecovered} went out without, ` +
        `more than the ${cameInWithout} that came in without explain. ${causeOf(flow)}`,
    ];
  }
  return [];
}

function headersOf({ recoveredBy }: Flow): string {
  return Object.keys(recoveredBy).join(" and ") || "a trace id";
}

/** Why nothing was given back, and what to do. */
function causeOf({ unrecovered, unrecoveredUntraced }: Flow): string {
  if (unrecoveredUntraced === unrecovered)
    return "It hands on no trace id either: let it hand on the headers of its trace, or the key, by a line below";
  const traced =
    "carry trace ids that did not come in with a key: it begins traces of its own, calls later than `trace.seconds`, or works unasked. " +
    "Let its tracing go on with the trace that comes in, or hand on the key, by a line below";
  return unrecoveredUntraced === 0
    ? `They ${traced}`
    : `${unrecoveredUntraced} carry no trace id, the others ${traced}`;
}

function sideFindings({ flow }: Workload): string[] {
  if (flow === undefined) return [];
  const { untraced, cameIn, evicted } = flow;
  const found: string[] = [];
  if (untraced > 0)
    found.push(
      `got ${untraced} of its ${cameIn} requests with a key and without a trace id, so their key can't be given back: ` +
        "let the services before it hand on the headers of the trace, or Envoy make a request id (`generate_request_id`)",
    );
  if (evicted > 0)
    found.push(
      `forgot ${count(evicted, "trace", "traces")} too early, since more came in than it remembers: ` +
        "raise `trace.entries` in the route file (65536 at most)",
    );
  return found;
}

export function hasGap({ verdict }: Workload): boolean {
  return GAPS.includes(verdict);
}

/** The lines to paste, once for each header that is to be handed on. */
function pasteText(io: Io, workloads: readonly Workload[]): string {
  const headers = [...new Set(workloads.filter(hasGap).map(({ header }) => header))];
  return headers
    .map((header) => {
      const rows = stacksFor(header).map(({ name, carries, line }) => [
        name,
        carries === "key" ? header : "trace",
        line,
      ]);
      return `\n${table(io, ["stack", "hands on", "line to paste"], rows)}`;
    })
    .join("");
}
