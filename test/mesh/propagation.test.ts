// The worked example of docs/propagation.md, as it stands in docs/examples/propagation: services that hand on everything, `traceparent`,
// `x-request-id` and nothing, on one mesh with one installation for both ways.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { V1Deployment, V1Service } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import type { Pod } from "./bed/pod.ts";
import { serviceAddress } from "./bed/services.ts";
import { mesh } from "./bed/shared.ts";
import { startUnit } from "./bed/unit.ts";
import { until } from "./bed/until.ts";
import { keyway, keywayDone, publishModule } from "./keyway.ts";

const NAMESPACE = "chain";
const EXAMPLE = join(import.meta.dirname, "../../docs/examples/propagation");
const PORT = 8080;

type Manifest = (V1Deployment & { kind: "Deployment" }) | (V1Service & { kind: "Service" });
const manifests = parseAllDocuments(readFileSync(join(EXAMPLE, "services.yaml"), "utf8")).map(
  (document) => document.toJS() as Manifest,
);
const deployments = manifests.filter((one) => one.kind === "Deployment");

const pods = new Map<string, Pod>();
let install: string[];

beforeAll(async () => {
  await Promise.all(
    deployments.map(async ({ metadata, spec }) => {
      const name = metadata?.name ?? "";
      const labels = spec?.template.metadata?.labels ?? {};
      pods.set(name, await mesh.pod({ name, namespace: NAMESPACE, labels }));
    }),
  );
  for (const { kind, metadata, spec } of manifests) {
    if (kind !== "Service") continue;
    const ports = spec?.ports?.map(({ name = "", port }) => ({ name, port })) ?? [];
    await mesh.service({ name: metadata?.name ?? "", namespace: NAMESPACE, selector: spec?.selector ?? {}, ports });
  }
  await Promise.all(deployments.map(startService));
  await mesh.waitForProxies();
  install = ["install", "-n", NAMESPACE, "--insecure", "--module", await publishModule()];
});

// As long as a Service has a port, every proxy takes what goes to that port anywhere for HTTP, also others' tunnels to a gateway.
afterAll(async () => {
  const services = manifests.filter(({ kind }) => kind === "Service");
  await mesh.delete(
    ...services.map(({ metadata }) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: `${metadata?.name}`, namespace: NAMESPACE },
    })),
  );
});

/** The container of a Deployment, as a process of its pod. Nobody knows names there, so the next service is called by its address. */
async function startService({ metadata, spec }: V1Deployment): Promise<void> {
  const pod = podOf(metadata?.name ?? "");
  const [container] = spec?.template.spec?.containers ?? [];
  const env = Object.fromEntries((container?.env ?? []).map(({ name, value = "" }) => [name, value]));
  if (env.NEXT) {
    const { address, port } = await serviceAddress(mesh.api, new URL(env.NEXT).host, pod);
    env.NEXT = `http://${address}:${port}`;
  }
  const command = [process.execPath, join(EXAMPLE, "service.mjs")];
  await startUnit({ name: "service", directory: pod.directory, namespace: pod.network, command, env });
}

function podOf(name: string): Pod {
  const pod = pods.get(name);
  if (pod === undefined) throw new Error(`the example has no ${name}`);
  return pod;
}

/** Who answered a request of a new trace, each with the key that reached it. */
async function chain(headers: Record<string, string> = {}): Promise<string[]> {
  const traceparent = `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;
  const host = `${podOf("web").address}:${PORT}`;
  const { status, body } = await mesh.requestFromOutside({ host, headers: { traceparent, ...headers } });
  if (status !== 200) throw new Error(`${status} ${body}`);
  const answered = JSON.parse(body) as { service: string; key: string | null }[];
  return answered.map(({ service, key }) => (key === null ? service : `${service} with ${key}`));
}

async function counted(name: string, metric: string): Promise<number> {
  const lines = (await podOf(name).admin(`/stats?filter=${metric}$`)).trim().split("\n");
  return lines.reduce((sum, line) => sum + Number(line.split(": ")[1] ?? 0), 0);
}

/** Keys given back after what hands on `traceparent`, after what hands on `x-request-id`, and what has none any more. */
const counts = () =>
  Promise.all([
    counted("orders", "keyway_requests_recovered"),
    counted("stock", "keyway_requests_recovered"),
    counted("prices-pr-42", "keyway_requests_unrecovered"),
  ]);

const BASELINES = ["web", "orders", "stock", "prices", "rates"];
const PREVIEW = ["web with pr-42", "orders with pr-42", "stock with pr-42", "prices-pr-42 with pr-42", "rates"];

/** What each service does with keys, as the counters of its proxy tell. */
async function expectGaps(): Promise<void> {
  type Found = {
    workload: string;
    verdict: string;
    flow: { recoveredBy: Record<string, number> };
    remedies?: object[];
  };
  const found: Found[] = JSON.parse((await keywayDone("gaps", "-n", NAMESPACE, "-o", "json")).out);
  const known = found.map(({ workload, verdict, flow }) => [
    workload.split(" ")[1],
    [verdict, ...Object.keys(flow.recoveredBy)],
  ]);
  expect(Object.fromEntries(known)).toMatchObject({
    web: ["forwards"],
    orders: ["recovered", "traceparent"],
    stock: ["recovered", "x-request-id"],
    "prices-pr-42": ["lost"],
    rates: ["idle"],
  });
  expect(found.filter(({ remedies }) => remedies).map(({ workload }) => workload.split(" ")[1])).toContain(
    "prices-pr-42",
  );
  const failed = await keyway("gaps", "-n", NAMESPACE, "--fail-on-gaps");
  expect([failed.code, failed.err]).toEqual([1, expect.stringContaining("prices-pr-42")]);
  expect(failed.out).toMatch(/prices-pr-42 drops the key: [^\n]* It hands on no trace id either/);
}

test("a key is given back after a service that hands on a trace's id, and is lost after one that hands on nothing", async () => {
  await until("the chain to answer", async () => (await chain()).length === BASELINES.length);
  const key = { "x-routing-key": "pr-42" };
  expect(await chain(key)).toEqual(["web with pr-42", "orders with pr-42", "stock", "prices", "rates"]);

  await keywayDone(...install, "--mode", "both", "-f", join(EXAMPLE, "routes.yaml"));
  // Each worker of each proxy keeps connections of its own, on which the filter is not yet; many requests at once use them all.
  await until("connections from before to be closed", async () => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => chain(key)));
    return answers.every((answer) => isDeepStrictEqual(answer, PREVIEW));
  });
  expect(await chain()).toEqual(BASELINES);

  const before = await counts();
  const mixed = Array.from({ length: 90 }, (_, n) => [key, {}, { "x-routing-key": "pr-7" }][n % 3] as object);
  const answers = await Promise.all(mixed.map((headers) => chain(headers as Record<string, string>)));
  const unrouted = BASELINES.map((name) => (name === "rates" ? name : `${name} with pr-7`));
  expect(answers).toEqual(mixed.map((_, n) => [PREVIEW, BASELINES, unrouted][n % 3]));
  const after = await counts();
  // Both keys are given back at orders and stock. What the preview of prices calls is of a trace of its own.
  expect(after.map((count, i) => count - (before[i] ?? 0))).toEqual([60, 60, 30]);

  const [status] = JSON.parse((await keywayDone("status", "-n", NAMESPACE, "-o", "json")).out);
  expect(status).toMatchObject({ mode: "both", errors: [] });
  expect(status.pods.map(({ ready }: { ready: boolean }) => ready)).toEqual(deployments.map(() => true));
  await expectGaps();
  const checked = JSON.parse((await keywayDone("check", "-n", NAMESPACE, "--insecure", "-o", "json")).out);
  expect(checked.filter(({ id }: { id: string }) => ["trace", "guard", "loaded"].includes(id))).toMatchObject(
    ["trace", "guard", "loaded"].map((id) => ({ id, status: "ok" })),
  );
});

test("one way is not enough, and both ways go as they came", async () => {
  await keywayDone("uninstall", "-n", NAMESPACE);
  const routes = ["-f", join(EXAMPLE, "routes.yaml")];
  const { out } = await keyway(...["check", ...install.slice(1)], "--mode", "outbound", ...routes, "-o", "json");
  expect(JSON.parse(out).find(({ id }: { id: string }) => id === "trace")).toMatchObject({
    status: "warning",
    detail: expect.stringContaining("nothing that comes in is remembered"),
  });
  await until("the filter to be gone", async () => (await chain({ "x-routing-key": "pr-42" })).includes("prices"));
  for (const pod of pods.values()) expect(JSON.stringify(await pod.configuration())).not.toContain("wasm.keyway");
});
