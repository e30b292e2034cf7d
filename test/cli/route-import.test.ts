// What other systems' tools give out, to a server and to files.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { BRIDGE_POD, ISTIO_ROUTE, OVERRIDES, RULES, SIGNADOT_SANDBOX, VIRTUAL_SERVICE } from "../import/fixtures.ts";
import { startRoutes } from "./routes.ts";
import { expectGolden, runCli, transcript } from "./run.ts";

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "keyway-import-"));
  onTestFinished(() => rm(made, { recursive: true }));
  return made;
}

const text = (value: object) => JSON.stringify(value);
const RULE = {
  id: expect.any(String),
  service: "reviews.demo:80",
  key: "pr-42",
  to: "reviews-pr-42.demo:80",
  workload: expect.any(Object),
};
const TIMED = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: demo}
spec:
  hosts: [reviews]
  http:
    - match: [{headers: {x-routing-key: {exact: pr-42}}}]
      timeout: 3s
      route: [{destination: {host: reviews-pr-42}}]
    - match: [{headers: {cookie: {regex: "^(.*?;)?(user=jason)(;.*)?$"}}}]
      route: [{destination: {host: reviews, subset: v2}}]
    - match: [{headers: {agent: {regex: "[0-9]+"}}}]
      route: [{destination: {host: reviews, subset: v3}}]
    - route: [{destination: {host: reviews, subset: v1}}]
`;

describe("import from other systems", () => {
  test("puts the routes, is the same the second time, and gives them what is said for all", async () => {
    const { routeWith, routes } = await startRoutes();
    const args = ["import", "--owner", "platform", "--label", "from=signadot", "--ttl", "2h"];
    const first = await routeWith({ input: text(RULES) }, ...args);
    expect([first.code, first.out]).toEqual([0, expect.stringMatching(/^created .*pr-42/m)]);
    expect(first.err).toContain("next: have the proxies read keys from signadot");
    expect(await routes()).toEqual([
      {
        ...RULE,
        owner: "platform",
        labels: { from: "signadot", "keyway.dev/sandbox": "sb-1" },
        expires: expect.any(String),
      },
    ]);
    expect((await routeWith({ input: text(RULES) }, ...args)).out).toMatch(/^renewed/m);
  });

  test("several files of several systems, route files among them, go in one transaction", async () => {
    const { route, routes } = await startRoutes();
    const at = await folder();
    const files = {
      "a.json": text(RULES),
      "b.json": text(OVERRIDES),
      "c.yaml": "routes: [{service: a, key: k, to: b}]\n",
    };
    for (const [name, content] of Object.entries(files)) await writeFile(join(at, name), content);
    const { code } = await route("import", ...Object.keys(files).map((name) => join(at, name)));
    expect(code).toBe(0);
    expect((await routes()).map(({ service, key }) => [service, key])).toEqual(
      expect.arrayContaining([
        ["a", "k"],
        ["reviews.demo", "v2"],
        ["reviews.demo:80", "pr-42"],
      ]),
    );
    const twice = await route("import", join(at, "c.yaml"), join(at, "c.yaml"));
    expect([twice.code, twice.err]).toEqual([1, expect.stringContaining("is in two of the files")]);
  });

  test("what is not as it was is told by its place, and --strict changes nothing then", async () => {
    const { url, routeWith, routes } = await startRoutes();
    const shown = (run: Awaited<ReturnType<typeof routeWith>>) => transcript(run).replaceAll(url, "http://SERVER");
    await expectGolden("route-import-strict", shown(await routeWith({ input: TIMED }, "import", "--strict")));
    expect(await routes()).toEqual([]);
    await expectGolden("route-import", shown(await routeWith({ input: TIMED }, "import", "-")));
    expect(await routes()).toHaveLength(3);
    const diff = await routeWith(
      { input: TIMED.replace("reviews-pr-42", "reviews-pr-43") },
      "import",
      "--diff",
      "--replace",
    );
    expect(diff.out).toContain("+ to: reviews-pr-43.demo\n");
  });

  test("a mistake anywhere changes nothing", async () => {
    const { routeWith, routes } = await startRoutes();
    const items = [ISTIO_ROUTE, { ...ISTIO_ROUTE, metadata: { name: "r2" }, spec: { routingKey: 5 } }];
    const { code, err } = await routeWith({ input: text({ kind: "List", items }) }, "import");
    expect([code, err]).toEqual([1, expect.stringContaining("IstioRoute r2: spec.routingKey: expected a text")]);
    expect(err).toContain("nothing was changed");
    expect(await routes()).toEqual([]);
    const forced = await routeWith({ input: text(RULES) }, "import", "--from", "amalgam8");
    expect([forced.code, forced.err]).toEqual([1, expect.stringContaining("this is nothing of Amalgam8")]);
  });

  test("--dry-run shows the routes without a server, and -o makes a route file of them", async () => {
    const dry = (input: string, ...args: string[]) => runCli(["route", "import", "--dry-run", ...args], { input });
    const table = await dry(TIMED);
    expect([table.code, table.out]).toEqual([0, expect.stringContaining("pr-42  reviews.demo  reviews-pr-42.demo")]);
    const yaml = await dry(TIMED, "-o", "yaml");
    expect(parse(yaml.out)).toMatchObject({ keys: ["header:x-routing-key"], routes: [{ key: "pr-42" }, {}, {}] });
    expect(JSON.parse((await dry(text(VIRTUAL_SERVICE), "-o", "json")).out).routes).toHaveLength(4);
    const { routeWith, routes } = await startRoutes();
    expect((await routeWith({ input: yaml.out }, "apply", "-f", "-")).code).toBe(0);
    expect(await routes()).toHaveLength(3);
    const again = await routeWith({ input: TIMED }, "import", "--dry-run");
    expect(again.out.match(/^unchanged/gm)).toHaveLength(3);
  });

  test("Kubernetes objects that go with the routes are printed, or written to a file", async () => {
    const input = text(BRIDGE_POD);
    const printed = await runCli(["route", "import", "--dry-run"], { input });
    expect(printed.out).toMatch(
      /^---\napiVersion: v1\nkind: Service\n[\s\S]*kind: EndpointSlice[\s\S]*dev-1234 +reviews\.demo/,
    );
    const json = await runCli(["route", "import", "--dry-run", "-o", "json"], { input });
    expect(JSON.parse(json.out).routes).toHaveLength(1);
    expect(json.err).toContain("2 Kubernetes objects go with these routes; --manifests FILE writes them");
    const file = join(await folder(), "made.yaml");
    const sandbox = await runCli(["route", "import", "--manifests", file], { input: text(SIGNADOT_SANDBOX) });
    expect([sandbox.code, sandbox.out]).toEqual([0, ""]);
    const [made] = parseAllDocuments(await readFile(file, "utf8"));
    expect(made?.toJS()).toMatchObject({ kind: "Sandbox", spec: { key: "abc123" } });
  });

  test("many thousands of routes go at once", async () => {
    const { routeWith, route } = await startRoutes();
    const items = Array.from({ length: 20_000 }, (_, at) => {
      return { ...ISTIO_ROUTE, metadata: { name: `r${at}` }, spec: { ...ISTIO_ROUTE.spec, routingKey: `pr-${at}` } };
    });
    const { code, err } = await routeWith({ input: text({ apiVersion: "v1", kind: "List", items }) }, "import");
    expect([code, err]).toEqual([0, expect.stringContaining("20000 created in the route server at")]);
    expect(JSON.parse((await route("list", "--key", "pr-19999", "-o", "json")).out).routes).toMatchObject([
      { key: "pr-19999" },
    ]);
  });

  test.each([
    [["--from", "nonsense"], /--from/],
    [["--map", "v2"], /--map: "v2" is not NAME=subset:SUBSET/],
    [["--keys", "cookie:a"], /expected header:NAME/],
    [["a", "-f", "b"], /a file was given twice/],
  ])("%j is wrong usage", async (args, said) => {
    const { code, err } = await runCli(["route", "import", ...args]);
    expect([code, err]).toEqual([2, expect.stringMatching(said)]);
  });
});
