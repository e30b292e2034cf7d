// Program: sends one plan's requests from where it runs, until its stdin closes or the plan's time is up, and prints the
// report. Requests keep the plan's pace whether or not earlier ones have been answered.
import { Agent, request } from "node:http";
import type { LoadPlan, LoadReport } from "./load.ts";

const KEPT_FAILURES = 20;
const GIVE_UP_MS = 10_000;

const { address, port, host, path, headers, rate, seconds } = JSON.parse(`${process.argv[2]}`) as LoadPlan;
const report: LoadReport = { requests: 0, failed: 0, failures: [], answers: {} };
const agent = new Agent({ keepAlive: true });
const underWay = new Set<Promise<void>>();

const pace = setInterval(() => track(send()), 1000 / rate);
const end = setTimeout(finish, seconds * 1000);
process.stdin.on("end", finish).resume();

function track(sent: Promise<void>): void {
  underWay.add(sent);
  void sent.finally(() => underWay.delete(sent));
}

async function send(): Promise<void> {
  const started = new Date().toISOString();
  const outcome = await new Promise<{ ok: boolean; what: string }>((resolve) => {
    const options = { agent, host: address, port, path, headers: { ...headers, host }, timeout: GIVE_UP_MS };
    const failed = (error: Error) => resolve({ ok: false, what: error.message });
    const sent = request(options, (response) => {
      const status = response.statusCode === 200 ? "" : ` ${response.statusCode}`;
      const what = `${response.headers["x-app"] ?? "a proxy"}${status}`;
      response
        .resume()
        .on("error", failed)
        .on("end", () => resolve({ ok: !status, what }));
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer in ${GIVE_UP_MS} ms`)));
    sent.on("error", failed).end();
  });
  const name = `${host} -> ${outcome.what}`;
  report.requests++;
  report.answers[name] = (report.answers[name] ?? 0) + 1;
  if (outcome.ok) return;
  report.failed++;
  if (report.failures.length < KEPT_FAILURES) report.failures.push(`${started} ${name}`);
}

let finished = false;
async function finish(): Promise<void> {
  if (finished) return;
  finished = true;
  clearTimeout(end);
  clearInterval(pace);
  await Promise.all(underWay);
  process.stdout.write(JSON.stringify(report), () => process.exit());
}
