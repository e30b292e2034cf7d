// envoy.yaml and npm start, as a person finds them.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { example, ROOT } from "../../scripts/proxy/bootstrap.ts";
import { Lines } from "../../scripts/proxy/lines.ts";
import { validate } from "../../scripts/proxy/run.ts";
import type { Echo } from "../../scripts/proxy/upstream.ts";
import { runCli } from "../cli/run.ts";
import { until } from "./bed/until.ts";

function start(...args: string[]): { child: ChildProcess; out: Lines; told: Lines } {
  const child = spawn(process.execPath, [join(ROOT, "scripts", "start.ts"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { child, out: new Lines(child.stdout), told: new Lines(child.stderr) };
}

test("Envoy finds nothing wrong with envoy.yaml", async () => {
  const { status, output } = await validate(example());
  expect(output).not.toMatch(/keyway: config/);
  expect(status).toBe(0);
});

test("npm start shows requests taking their routes", async () => {
  const { child, out } = start("--once");
  const [code] = await once(child, "close");
  expect(code).toBe(0);
  const shown = out.all.join("\n");
  for (const row of [
    /^\/ +reviews +it carries no key/m,
    /^\/ {2}x-routing-key: pr-42 +reviews-pr-42 +a route says so +routed pr-42 reviews-pr-42$/m,
    /^\/ {2}baggage: sd-routing-key=pr-42 +reviews-pr-42 /m,
    /^\/ {2}cookie: preview=pr-42 +reviews-pr-42 /m,
    /^\/ratings {2}x-routing-key: pr-7 +everything-pr-7 /m,
    /^\/ {2}cookie: user=alice +reviews-v2 +a route says so +routed - reviews-v2$/m,
    /^\/ratings {2}cookie: session=judy +ratings +it carries no key/m,
    /^\/ratings {2}cookie: session=ivan +ratings-v2 +a route says so +routed - ratings-v2$/m,
    /^\/ {2}x-routing-key: pr-77 +reviews +.*baseline pr-77$/m,
    /^\/ {2}x-routing-key: not one key +reviews +.*invalid_key$/m,
    /^\/ {2}x-keyway-cluster: reviews-pr-42 +reviews +it carries no key/m,
    /^\/ {2}x-routing-key: pr-42 {2}x-keyway-routed: reviews-pr-42 +reviews +.*already_routed pr-42 reviews-pr-42$/m,
    /^\/ {2}x-routing-key: pr-9 +reviews +.*missing_target pr-9 reviews-pr-9$/m,
    /^\/ {2}x-routing-key: pr-42 {2}x-keyway-explain: 1 +nowhere, explained +a route for this key/m,
    /^\$ keyway route set reviews --key pr-77 --to reviews-pr-42 --ttl 2h\n {2}in force on all workers of both Envoys .*: pr-77 goes to reviews-pr-42$/m,
    /^\$ keyway route delete --key pr-77\n {2}in force .*: pr-77 goes to reviews$/m,
  ])
    expect(shown).toMatch(row);
});

test("npm start takes another port where one is taken, says so, serves, and ends with its Envoy when asked to", async () => {
  const holder = createServer().listen(10000, "127.0.0.1");
  await Promise.race([once(holder, "listening"), once(holder, "error")]);
  const { child, told } = start();
  try {
    expect(await told.find(/port 10000 is taken; listener web is on \d+ instead/)).toBeDefined();
    const web = /serving until Ctrl-C on (\S+);/.exec((await told.find(/serving until/)) ?? "")?.[1];
    const admin = /admin page is (\S+)$/.exec((await told.find(/serving until/)) ?? "")?.[1];
    const answer = await fetch(`${web}/`, { headers: { "x-routing-key": "pr-42" } });
    expect(await answer.json()).toMatchObject({ service: "reviews-pr-42" });
    const [, server, follower] =
      /route server is (\S+); it is followed by (\S+)/.exec((await told.find(/route server is/)) ?? "") ?? [];
    const set = /npx keyway (route set [^-]*--key mine --to \S+)/.exec((await told.find(/npx keyway/)) ?? "")?.[1];
    const command = await runCli((set ?? "").split(" "), { env: { KEYWAY_SERVER: server ?? "" } });
    expect(command).toMatchObject({ code: 0 });
    await until(
      "the route that was set",
      async () => (await fetch(`${follower}`, { headers: { "x-routing-key": "mine" } })).json() as Promise<Echo>,
      ({ service }) => service === "reviews-v2",
    );
    child.kill("SIGTERM");
    await once(child, "close");
    await expect(fetch(`${admin}/ready`)).rejects.toThrow();
    await expect(fetch(`${server}/healthz`)).rejects.toThrow();
    await expect(fetch(`${follower}`)).rejects.toThrow();
  } finally {
    child.kill();
    holder.close();
  }
});
