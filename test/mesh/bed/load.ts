// A steady load: so many requests a second, each answered or failed, never more than `seconds` long. It runs in processes of
// its own, so that nothing a test does slows it down.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export type LoadPlan = {
  address: string;
  port: number;
  host: string;
  path: string;
  headers: Record<string, string>;
  /** Each request carries one of these in x-routing-key, at random; "" stands for none. */
  keys?: string[];
  /** Requests a second. */
  rate: number;
  /** The load ends by itself after so long. */
  seconds: number;
};

/** One request of a load. */
export type Sent = {
  host: string;
  key?: string;
  /** When it was sent, in milliseconds since the epoch. */
  at: number;
  /** Milliseconds until it was answered or failed. */
  took: number;
  /** Answered with 200. */
  ok: boolean;
  /** The application that answered, with the status where it was not 200; or the error. */
  by: string;
  /** The path that the application saw. */
  path?: string;
};

export type LoadReport = {
  requests: number;
  /** Requests that were not answered with 200. */
  failed: number;
  /** The first of these in words. */
  failures: string[];
  /** Count by "HOST -> APP", with the status where it was not 200. */
  answers: Record<string, number>;
  /** All of them, each stream's in the order in which they ended. */
  sent: Sent[];
};

const KEPT_FAILURES = 20;

export class Load {
  readonly #children: { child: ChildProcess; sent: Promise<Sent[]> }[];

  /** Starts each plan in its network namespace. */
  constructor(plans: { network: string; plan: LoadPlan }[]) {
    this.#children = plans.map(({ network, plan }) => {
      const program = join(import.meta.dirname, "load-program.ts");
      const command = ["netns", "exec", network, process.execPath, program, JSON.stringify(plan)];
      const child = spawn("ip", command, { stdio: ["pipe", "pipe", "inherit"] });
      const sent = sentBy(child);
      // Whoever stops the load is told of a failure; nobody else waits for it.
      sent.catch(() => {});
      return { child, sent };
    });
  }

  /** Waits for the requests under way and adds up. A load that has been stopped tells the same again. */
  async stop(): Promise<LoadReport> {
    for (const { child } of this.#children) child.stdin?.end();
    return reportOf((await Promise.all(this.#children.map(({ sent }) => sent))).flat());
  }
}

async function sentBy(child: ChildProcess): Promise<Sent[]> {
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  await once(child, "close");
  if (!text) throw new Error("a load generator ended without a report");
  return JSON.parse(text) as Sent[];
}

function reportOf(sent: Sent[]): LoadReport {
  const name = ({ host, by }: Sent) => `${host} -> ${by}`;
  const failed = sent.filter(({ ok }) => !ok);
  return {
    requests: sent.length,
    failed: failed.length,
    failures: failed.slice(0, KEPT_FAILURES).map((one) => `${new Date(one.at).toISOString()} ${name(one)}`),
    answers: countBy(sent.map(name)),
    sent,
  };
}

export function countBy(names: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
