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
  /** Requests a second. */
  rate: number;
  /** The load ends by itself after so long. */
  seconds: number;
};

export type LoadReport = {
  requests: number;
  /** Requests that were not answered with 200. */
  failed: number;
  /** The first of these in words. */
  failures: string[];
  /** Count by "HOST -> APP", with the status where it was not 200. */
  answers: Record<string, number>;
};

export class Load {
  readonly #children: { child: ChildProcess; report: Promise<LoadReport> }[];

  /** Starts each plan in its network namespace. */
  constructor(plans: { network: string; plan: LoadPlan }[]) {
    this.#children = plans.map(({ network, plan }) => {
      const program = join(import.meta.dirname, "load-program.ts");
      const command = ["netns", "exec", network, process.execPath, program, JSON.stringify(plan)];
      const child = spawn("ip", command, { stdio: ["pipe", "pipe", "inherit"] });
      return { child, report: reportOf(child) };
    });
  }

  /** Waits for the requests under way and adds up. */
  async stop(): Promise<LoadReport> {
    for (const { child } of this.#children) child.stdin?.end();
    const reports = await Promise.all(this.#children.map(({ report }) => report));
    return reports.reduce(sum);
  }
}

async function reportOf(child: ChildProcess): Promise<LoadReport> {
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  await once(child, "close");
  if (!text) throw new Error("a load generator ended without a report");
  return JSON.parse(text) as LoadReport;
}

function sum(a: LoadReport, b: LoadReport): LoadReport {
  const names = new Set([...Object.keys(a.answers), ...Object.keys(b.answers)]);
  return {
    requests: a.requests + b.requests,
    failed: a.failed + b.failed,
    failures: [...a.failures, ...b.failures],
    answers: Object.fromEntries([...names].map((name) => [name, (a.answers[name] ?? 0) + (b.answers[name] ?? 0)])),
  };
}
