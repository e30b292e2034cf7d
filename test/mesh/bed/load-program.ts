// Program: sends one plan's requests from where it runs, until its stdin closes or the plan's time is up, and prints what
// became of each. Requests keep the plan's pace whether or not earlier ones have been answered.
import { Agent, request } from "node:http";
import type { LoadPlan, Sent } from "./load.ts";

const GIVE_UP_MS = 10_000;

const {
  address,
  port,
  host,
  path,
  headers: own,
  keys = [],
  rate,
  seconds,
} = JSON.parse(`${process.argv[2]}`) as LoadPlan;
const sent: Sent[] = [];
const agent = new Agent({ keepAlive: true });
const underWay = new Set<Promise<void>>();

const began = performance.now();
let begun = 0;
const pace = setInterval(sendWhatIsDue, 1000 / rate);
const end = setTimeout(finish, seconds * 1000);
process.stdin.on("end", finish).resume();

/** A timer that is late does not make the load smaller; what it has missed is made up for one by one, without a burst. */
function sendWhatIsDue(): void {
  const due = ((performance.now() - began) * rate) / 1000;
  for (let sending = 0; sending < 2 && begun < due; sending++, begun++) track(send());
}

function track(one: Promise<void>): void {
  underWay.add(one);
  void one.finally(() => underWay.delete(one));
}

async function send(): Promise<void> {
  const key = keys[Math.floor(Math.random() * keys.length)];
  const headers = { ...own, ...(key && { "x-routing-key": key }) };
  const at = Date.now();
  const outcome = await new Promise<Pick<Sent, "ok" | "by" | "path">>((resolve) => {
    const options = { agent, host: address, port, path, headers: { ...headers, host }, timeout: GIVE_UP_MS };
    const failed = (error: Error) => resolve({ ok: false, by: error.message });
    const asked = request(options, (response) => {
      const ok = response.statusCode === 200;
      const by = `${response.headers["x-app"] ?? "a proxy"}${ok ? "" : ` ${response.statusCode}`}`;
      const seen = response.headers["x-path"] as string | undefined;
      response
        .resume()
        .on("error", failed)
        .on("end", () => resolve({ ok, by, ...(seen !== undefined && { path: seen }) }));
    });
    asked.on("timeout", () => asked.destroy(new Error(`no answer in ${GIVE_UP_MS} ms`)));
    asked.on("error", failed).end();
  });
  sent.push({ host, ...(key !== undefined && { key }), at, took: Date.now() - at, ...outcome });
}

let finished = false;
async function finish(): Promise<void> {
  if (finished) return;
  finished = true;
  clearTimeout(end);
  clearInterval(pace);
  await Promise.all(underWay);
  process.stdout.write(JSON.stringify(sent), () => process.exit());
}
