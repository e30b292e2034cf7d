// What `npm pack` makes, installed without a network in an empty folder and used there, on every Node.js that it is for.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runInNewContext } from "node:vm";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import manifest from "../../package.json" with { type: "json" };
import { run } from "../../scripts/parts/command.ts";
import { NEWEST_NODE, node } from "../../scripts/parts/node.ts";
import { ROOT, VERSION } from "../../shared/package.ts";
import { type Double, startDouble } from "../registry/double.ts";

const OLDEST_NODE = manifest.engines.node.replace(">=", "");
const ROUTES = "routes:\n  - {service: reviews:9080, key: pr-42, to: reviews-pr-42}\n";

/** Uses the library as another program would; the same for Node.js and for browsers. */
const PROGRAM = `
import { compileRoutes, explain, parseRouteFile } from "keyway/routes";
const file = parseRouteFile(${JSON.stringify(ROUTES)});
const { configuration } = compileRoutes(file, { mode: "plain", namespace: "", domain: "", services: [] });
const headers = [[":method", "GET"], [":path", "/"], ["x-routing-key", "pr-42"]];
globalThis.explanation = explain(configuration, { headers, cluster: "reviews", now: 0, missing: new Set() });
`;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "keyway-installed-"));
  const packed = await npm(ROOT, "pack", "--ignore-scripts", "--json", "--pack-destination", folder);
  const [{ filename }] = JSON.parse(packed);
  writeFileSync(join(folder, "package.json"), '{"private": true, "type": "module"}');
  await npm(folder, "install", "--offline", "--no-audit", "--no-fund", filename);
  writeFileSync(join(folder, "routes.yaml"), ROUTES);
  writeFileSync(join(folder, "program.js"), `${PROGRAM}\nconsole.log(JSON.stringify(globalThis.explanation));`);
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

const npm = (cwd: string, ...args: string[]) => run("npm", args, { cwd });

describe.each([OLDEST_NODE, NEWEST_NODE])("on Node.js %s", (version) => {
  let path: string;
  let registry: Double;
  beforeAll(async () => {
    path = await node(version);
    registry = await startDouble();
  }, 300_000);
  afterAll(() => registry.stop());

  /** stdout of a program that finds this Node.js alone on its PATH. */
  const output = async (program: string, ...args: string[]) =>
    await run(program, args, { cwd: folder, env: { PATH: `${dirname(path)}:/usr/bin:/bin`, HOME: folder } });
  const keyway = (...args: string[]) => output("node_modules/.bin/keyway", ...args);

  test("it is this Node.js", async () => expect(await output("node", "--version")).toBe(`v${version}\n`));
  test("--version", async () => expect(await keyway("--version")).toBe(`${VERSION}\n`));
  test("--help", async () => expect(await keyway("--help")).toContain("\nCommands:\n"));

  test("publish of the module that the package carries", async () => {
    const url = await keyway("publish", "--insecure", `oci://${registry.host}/team/keyway:1.0`);
    const manifest = JSON.parse(`${registry.stored.get("team/keyway:1.0")}`);
    expect(url).toMatch(/^oci:\/\/127\.0\.0\.1:\d+\/team\/keyway@sha256:[0-9a-f]{64}\n$/);
    expect(manifest.layers).toHaveLength(1);
  });

  test("render", async () => {
    const envoy = parse(await keyway("render", "envoy", "-f", "routes.yaml"));
    expect(envoy.static_resources.clusters.map(({ name }: { name: string }) => name)).toContain("reviews");
  });

  test("route explain", async () => {
    const args = ["route", "explain", "-f", "routes.yaml", "-H", "x-routing-key: pr-42", "-o", "json", "/"];
    expect(JSON.parse(await keyway(...args))).toMatchObject({ outcome: "routed", to: "reviews-pr-42" });
  });

  test("serve, with its store in a thread of its own", async () => {
    const database = join(folder, `${version}.db`);
    const args = ["serve", "--listen", "127.0.0.1:0", "--store", `sqlite:${database}`];
    const command = ["node_modules/keyway/build/keyway.mjs", ...args];
    const server = spawn(path, command, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    let log = "";
    server.stderr.on("data", (piece) => {
      log += piece;
    });
    try {
      await expect.poll(() => log, { timeout: 20_000 }).toContain("listening");
      const url = /"url":"([^"]+)"/.exec(log)?.[1];
      const body = '{"service": "reviews", "key": "pr-42", "to": "reviews-pr-42"}';
      expect((await fetch(`${url}/v1/routes/pr-42`, { method: "PUT", body })).status).toBe(201);
      server.kill("SIGTERM");
      expect((await once(server, "exit"))[0]).toBe(0);
      // Nothing but JSON: no warning of Node.js about what it calls experimental.
      for (const line of log.trim().split("\n")) expect(() => JSON.parse(line)).not.toThrow();
    } finally {
      server.kill("SIGKILL");
    }
  });

  test("a command that talks to a cluster gets as far as looking for one", async () => {
    await expect(keyway("status")).rejects.toThrow(/ended with code 1: keyway: no cluster to talk to/);
  });

  test("keyway/routes", async () => {
    expect(JSON.parse(await output("node", "program.js"))).toMatchObject({ outcome: "routed", to: "reviews-pr-42" });
  });
});

test("it needs no other package", () => {
  const installed = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")).packages;
  expect(Object.keys(installed).sort()).toEqual(["", "node_modules/keyway"]);
});

test("keyway/routes in a browser", async () => {
  const { outputFiles } = await build({
    stdin: { contents: PROGRAM, resolveDir: folder },
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
  });
  // Only what browsers have as well.
  const context = { TextEncoder, TextDecoder, URL, atob, btoa } as Record<string, unknown>;
  runInNewContext(outputFiles[0]?.text ?? "", context);
  expect(context.explanation).toMatchObject({ outcome: "routed", to: "reviews-pr-42" });
});

test("types of keyway/routes", async () => {
  const types = join(folder, "types");
  mkdirSync(types);
  writeFileSync(
    join(types, "program.ts"),
    `import { type Configuration, explain, parseRouteFile } from "keyway/routes";
     const keys: string[] = parseRouteFile("").keys;
     const configuration: Configuration = { keys, routes: [], explain: false, strict: false };
     // @ts-expect-error an outcome is a text
     export const outcome: number = explain(configuration, { headers: [], cluster: "", now: 0, missing: new Set() }).outcome;`,
  );
  const strict = { strict: true, noEmit: true, skipLibCheck: false, types: [], lib: ["es2022", "dom"] };
  for (const module of ["nodenext", "preserve"]) {
    writeFileSync(join(types, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...strict, module } }));
    const tsc = spawnSync(join(ROOT, "node_modules", ".bin", "tsc"), ["-p", types], { encoding: "utf8" });
    expect(tsc.stdout, module).toBe("");
  }
});

test("JSON Schemas, licence and notices are there", () => {
  const inside = (name: string) => readFileSync(join(folder, "node_modules", "keyway", name), "utf8");
  for (const name of ["route-file", "configuration"])
    expect(JSON.parse(inside(`build/${name}.schema.json`))).toMatchObject({
      type: "object",
      title: expect.stringContaining("Keyway"),
    });
  expect(inside("LICENSE")).toContain("Apache License");
  for (const name of ["zod", "yaml", "commander", "assemblyscript", "undici"])
    expect(inside("build/THIRD_PARTY_NOTICES")).toContain(`\n\n${name} `);
});
