// What the commands print that need no cluster.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startDouble } from "../registry/double.ts";
import { freePort, type Server } from "../registry/listening.ts";
import { MODULE } from "../registry/trial.ts";
import { expectGolden, runCli, transcript } from "./run.ts";

const DIGEST = "a".repeat(64);
const ROUTES = `
keys: [header:x-routing-key, signadot]
routes:
  - {service: reviews:9080, key: pr-42, to: reviews-pr-42}
  - {service: reviews:9080, when: [{cookie: user, exact: alice}], to: "reviews-v2:80", expires: 2091-01-01T00:00:00Z}
  - {service: reviews:9080, split: [{to: {cluster: far}, weight: 10}], sticky: "cookie:session"}
`;
const SERVICES = JSON.stringify({
  kind: "List",
  items: [
    {
      kind: "Service",
      metadata: { name: "reviews", namespace: "demo" },
      spec: { selector: { app: "reviews" }, ports: [{ name: "http", port: 9080, targetPort: "web" }] },
    },
    {
      kind: "Service",
      metadata: { name: "reviews-pr-42", namespace: "demo" },
      spec: { ports: [{ name: "http", port: 80 }] },
    },
    { kind: "Service", metadata: { name: "reviews-v2", namespace: "demo" }, spec: { ports: [{ port: 80 }] } },
    {
      kind: "Pod",
      metadata: { name: "reviews-1", namespace: "demo", labels: { app: "reviews" } },
      spec: { containers: [{ ports: [{ name: "web", containerPort: 8080 }] }] },
    },
  ],
});

let folder: string;
let routes: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyway-cli-"));
  routes = join(folder, "routes.yaml");
  await writeFile(routes, ROUTES);
  await writeFile(join(folder, "services.json"), SERVICES);
  await writeFile(join(folder, "keyway.wasm"), MODULE);
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs a command and compares all that it shows, without what differs between machines. */
async function shows(name: string, args: string[], setting: Parameters<typeof runCli>[1] = {}): Promise<void> {
  const run = await runCli(args, {
    ...setting,
    env: { HOME: folder, SOURCE_DATE_EPOCH: "1800000000", ...setting.env },
  });
  const text = transcript(run)
    .replaceAll(`${folder}/`, "")
    .replaceAll(/127\.0\.0\.1:\d{4,5}/g, "REGISTRY")
    .replaceAll(/^build\/(\S+) +\d+ +[0-9a-f]{64}$/gm, "build/$1 BYTES SHA256");
  await expectGolden(name, text);
}

test("build", () => shows("build", ["build"]), 60_000);

describe("publish", () => {
  let registry: Server;
  beforeAll(async () => {
    registry = await startDouble();
  });
  afterAll(() => registry.stop());

  const publish = (repository: string, ...more: string[]) => [
    ...["publish", "--insecure", "--module", join(folder, "keyway.wasm"), "--revision", "0123abc", ...more],
    `oci://${registry.host}/team/${repository}:1.0`,
  ];

  test("to a registry", () => shows("publish", publish("keyway")));
  test("as JSON", () => shows("publish-json", publish("other", "-o", "json")));
  test("nothing but the URL on stdout", async () => {
    const { out } = await runCli(publish("plain"), { env: { HOME: folder } });
    expect(out).toMatch(/^oci:\/\/127\.0\.0\.1:\d+\/team\/plain@sha256:[0-9a-f]{64}\n$/);
  });
  test("without a module", () =>
    shows("publish-no-module", ["publish", "--module", "no.wasm", "oci://registry.example.com/team/keyway:1"]));
  test("what is no module", () =>
    shows("publish-no-wasm", ["publish", "--module", routes, "oci://registry.example.com/team/keyway:1"]));
  test("to nobody", async () => {
    const url = `oci://127.0.0.1:${await freePort()}/team/keyway:1`;
    await shows("publish-nobody", ["publish", "--module", join(folder, "keyway.wasm"), url]);
  });
  test("to a port that is not for HTTP", () =>
    shows("publish-bad-port", [
      "publish",
      "--module",
      join(folder, "keyway.wasm"),
      "oci://127.0.0.1:25/team/keyway:1",
    ]));
  test("to a port that there is not", () =>
    shows("publish-no-port", [
      "publish",
      "--module",
      join(folder, "keyway.wasm"),
      "oci://127.0.0.1:99999/team/keyway:1",
    ]));
});

describe("render envoy", () => {
  const render = (...more: string[]) => ["render", "envoy", "-f", routes, ...more];

  test("a whole configuration", () =>
    shows("render-envoy", render("--cluster", "far=10.0.0.7:8080", "--admin", "[::1]:9901")));
  test.each(["filter", "route", "access-log"])("its %s alone", (part) =>
    shows(`render-envoy-${part}`, render("--part", part)),
  );
  test("with several baselines", async () => {
    const { out } = await runCli(
      render("--baseline", "/far=far", "--baseline", "reviews", "--cluster", "far=[fd00::7]:8080", "-o", "json"),
    );
    const { listeners, clusters } = JSON.parse(out).static_resources;
    const { routes } = listeners[0].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0];
    const baselines = routes.filter(({ route }: { route: { cluster?: string } }) => route.cluster !== undefined);
    expect(baselines).toEqual([
      { match: { prefix: "/far" }, route: { cluster: "far" } },
      { match: { prefix: "/" }, route: { cluster: "reviews" } },
    ]);
    const far = clusters.find(({ name }: { name: string }) => name === "far");
    expect(JSON.stringify(far)).toContain('"address":"fd00::7","port_value":8080');
    expect(far.type).toBeUndefined();
  });
  const table = ["--table", "localhost:8700", "--table-scope", "demo/reviews"];
  test("its cluster of route servers alone", () =>
    shows("render-envoy-cluster", render(...table, "--part", "cluster")));
  test("a whole configuration for a live table", () =>
    shows("render-envoy-table", [
      ...["render", "envoy", ...table, "--baseline", "reviews"],
      ...["--cluster", "reviews=10.0.0.7:9080", "--cluster", "reviews-pr-42=10.0.0.8:9080"],
    ]));
  test("without knowing where a cluster is", () => shows("render-envoy-lost", render()));
  test("without knowing the baseline", () =>
    shows("render-envoy-no-baseline", ["render", "envoy", "-f", "-"], {
      input: "routes: [{service: a:1, key: k, to: b}, {service: c:1, key: k, to: b}]",
    }));
});

describe("render istio", () => {
  const module = `oci://registry.example.com/team/keyway@sha256:${DIGEST}`;
  const render = (...more: string[]) => {
    const content = ["-f", routes, "-n", "demo", "--module", module, "--watch-module", join(folder, "watch.wasm")];
    return ["render", "istio", ...content, ...more];
  };
  beforeAll(() => writeFile(join(folder, "watch.wasm"), "\0asm\x01\0\0\0"));

  test("for one workload, with real ports", () =>
    shows("render-istio", render("-l", "app=reviews", "--services", join(folder, "services.json"))));
  test("for both ways of one workload, with real ports", () =>
    shows(
      "render-istio-both",
      render("-l", "app=reviews", "--mode", "both", "--services", join(folder, "services.json")),
    ));
  test("for both ways, the live table is that of callers, with the ports of the selected workloads' own services", async () => {
    const inMode = async (...more: string[]) => {
      const args = ["render", "istio", "-n", "demo", "--module", module, "--server", "keyway.routes:8700"];
      const { out, err } = await runCli([...args, "-o", "json", "--mode", "both", ...more]);
      return { scope: JSON.parse(out).items[0].spec.pluginConfig.table.scope, err };
    };
    const known = ["--services", join(folder, "services.json")];
    expect(await inMode("-l", "app=reviews", ...known)).toMatchObject({ scope: "both:demo,demo/reviews:9080=8080" });
    expect(await inMode(...known)).toMatchObject({ scope: "both:demo" });
    expect(await inMode("-l", "app=reviews")).toEqual({
      scope: "both:demo",
      err: expect.stringContaining("only callers choose; --services tells it"),
    });
  });
  test("a target port whose number no pod says is a mistake with its place", async () => {
    const listed = JSON.parse(SERVICES);
    const items = listed.items.filter(({ kind }: { kind: string }) => kind !== "Pod");
    await writeFile(join(folder, "no-pods.json"), JSON.stringify({ ...listed, items }));
    await shows("render-istio-no-pods", render("-l", "app=reviews", "--services", join(folder, "no-pods.json")));
  });
  test("hosts of ServiceEntries are named as services are", async () => {
    const entry = { kind: "ServiceEntry", metadata: { name: "api", namespace: "egress" } };
    const spec = { hosts: ["api.example.com", "api-2.example.com"], ports: [{ number: 443, name: "https" }] };
    const file = join(folder, "entries.json");
    await writeFile(file, JSON.stringify({ kind: "List", items: [{ ...entry, spec }] }));
    const input = "routes: [{service: api.example.com, key: k, to: 'api-2.example.com:https'}]";
    const args = ["render", "istio", "-f", "-", "-n", "demo", "--module", module, "--mode", "outbound", "-o", "json"];
    const { out } = await runCli([...args, "--services", file], { input });
    expect(JSON.parse(out).items[0].spec.pluginConfig.routes).toEqual([
      { from: "outbound|443||api.example.com", key: "k", to: "outbound|443||api-2.example.com" },
    ]);
    const wrong = await runCli([...args, "--services", file], { input: input.replace("api-2", "api-3") });
    expect(wrong.err).toContain("no ServiceEntry has the host api-3.example.com; did you mean");
  });
  test("for a gateway, with ports as written", () =>
    shows("render-istio-gateway", render("--target-ref", "gateway/public")));
  test("the same input gives the same output", async () => {
    const env = { SOURCE_DATE_EPOCH: "1800000000" };
    expect(await runCli(render(), { env })).toEqual(await runCli(render(), { env }));
  });
  test("as JSON it is one list", async () => {
    const { out } = await runCli(render("-o", "json"));
    expect(JSON.parse(out)).toMatchObject({ kind: "List", items: [{ kind: "WasmPlugin" }, { kind: "EnvoyFilter" }] });
  });
  test("with a route server", async () => {
    const args = render("-l", "app=reviews", "--services", join(folder, "services.json"), "-o", "json");
    const { out } = await runCli([
      ...args.filter((arg) => arg !== "-f" && arg !== routes),
      "--server",
      "keyway.routes:8700",
    ]);
    expect(JSON.parse(out).items[0].spec.pluginConfig).toEqual({
      hopMark: "route",
      table: {
        cluster: "outbound|8700||keyway.routes.svc.cluster.local",
        authority: "keyway.routes",
        scope: "inbound:demo/reviews:9080=8080",
      },
    });
  });
  test("with neither routes nor a server", async () => {
    const { code, err } = await runCli(["render", "istio", "-n", "demo", "--module", module]);
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringMatching(/which routes\? -f is missing[\s\S]*--server/),
    });
  });
  test("with a watcher that is no module", async () => {
    const { code, err } = await runCli(render("--watch-module", routes));
    expect([code, err]).toEqual([1, expect.stringContaining("the watcher is no WebAssembly module")]);
  });
  test("with a module that can change", () =>
    shows("render-istio-tag", [
      "render",
      "istio",
      "-f",
      routes,
      "-n",
      "demo",
      "--module",
      "oci://registry.example.com/team/keyway:1",
    ]));
  test("with a file that is no list of services", () =>
    shows("render-istio-no-services", render("--services", routes)));
});

describe("route explain", () => {
  const at = ["--at", "2030-01-01T00:00:00Z"];
  const explain = (...more: string[]) => ["route", "explain", "-f", routes, ...at, ...more];

  test("by key", () => shows("explain-key", explain("-H", "x-routing-key: pr-42", "/reviews/1")));
  test("as JSON", () => shows("explain-json", explain("-H", "Baggage: sd-routing-key=pr-42", "/", "-o", "json")));
  test("by condition, in the names of a mesh", () =>
    shows(
      "explain-mesh",
      explain("-H", "cookie: user=alice", "POST /cart", "--mode", "outbound", "-n", "demo", "--from", "reviews:9080"),
    ));
  test("by chance", () => shows("explain-chance", explain("/")));
  test("a target that is missing", () =>
    shows("explain-missing", explain("-H", "x-routing-key: pr-42", "--missing", "reviews-pr-42", "/")));
  test("an expired route", async () => {
    const run = (date: string) =>
      runCli(["route", "explain", "-f", routes, "--at", date, "-H", "cookie: user=alice; session=s", "/"]);
    expect((await run("2090-12-31T23:59:59Z")).out).toContain("to       reviews-v2\n");
    expect((await run("2091-01-01T00:00:00Z")).out).not.toContain("reviews-v2");
  });
  test("by a plugin configuration from stdin, with a host", async () => {
    const input = JSON.stringify({
      keys: ["host:.preview.example.com"],
      routes: [{ from: "*", key: "pr-1", to: "b" }],
    });
    const args = ["route", "explain", "-f", "-", "--from", "outbound|80||a", "https://pr-1.preview.example.com/x?y=1"];
    expect(JSON.parse((await runCli([...args, "-o", "json"], { input })).out)).toEqual({
      outcome: "routed",
      key: "pr-1",
      source: "host:.preview.example.com",
      from: "outbound|80||a",
      to: "b",
      why: "a route for this key and baseline; the route is from any baseline",
    });
  });
  test("what is no request", () => shows("explain-no-request", explain("reviews")));
  test("without a baseline", () =>
    shows("explain-no-baseline", ["route", "explain", "-f", "-", "/"], {
      input: '{"routes": [{"from": "*", "key": "k", "to": "b"}]}',
    }));
  test("a configuration with mistakes", () =>
    shows("explain-mistakes", ["route", "explain", "-f", "-", "/"], {
      input: "keys: [moon]\nroutes:\n  - {service: a, to: b}\n",
    }));
  test("a file that is not there", () => shows("explain-no-file", ["route", "explain", "-f", "no.yaml", "/"]));
});
