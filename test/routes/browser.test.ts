import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { explain, parseConfiguration, pluginJsonSchema } from "../../routes/index.ts";

/** What browsers have beside the language itself, as far as routes/ may use it. */
const BROWSER = ["TextEncoder", "TextDecoder", "atob", "URL", "console"] as const;

async function inBrowser(source: string): Promise<unknown> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: import.meta.dirname, loader: "ts" },
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
    globalName: "result",
    logLevel: "silent",
  });
  const context = createContext(Object.fromEntries(BROWSER.map((name) => [name, globalThis[name]])));
  runInContext(outputFiles[0]?.text ?? "", context);
  return JSON.parse(runInContext("JSON.stringify(result.default)", context));
}

const TABLE = {
  keys: ["signadot", "jwt:sandbox", "query:k"],
  hierarchy: ".",
  routes: [
    { from: "reviews", key: "pr-42", to: "reviews-pr-42" },
    { from: "reviews", when: [{ cookie: "näme", exact: "ä" }], to: "umlaut" },
    { from: "reviews", split: [{ to: "reviews-v3", weight: 50 }], sticky: "cookie:session" },
  ],
};
const REQUESTS = [
  [["baggage", "sd-sandbox=pr-42.child"]],
  [["authorization", "Bearer e30.eyJzYW5kYm94IjoicHItNDIifQ.c2ln"]],
  [[":path", "/?k=pr%2d42"]],
  [["cookie", "n\xc3\xa4me=\xc3\xa4"]],
  [["cookie", "session=s1"]],
  [["cookie", "session=s2"]],
];

test("bundled for browsers the library decides without anything of Node's, as it does here", async () => {
  const answers = await inBrowser(`
    import { compileRoutes, explain, parseConfiguration, parseRouteFile, pluginJsonSchema, ConfigurationError } from "../../routes/index.ts";
    const table = parseConfiguration(${JSON.stringify(TABLE)});
    const file = parseRouteFile("routes:\\n  - {service: reviews, key: k, to: reviews-k}\\n");
    const { configuration } = compileRoutes(file, { mode: "plain", namespace: "", domain: "", services: [] });
    const mistakes = () => {
      try {
        parseRouteFile("routes:\\n  - {service: reviews, key: k}\\n");
      } catch (error) {
        return error instanceof ConfigurationError && error.diagnostics;
      }
    };
    export default {
      explained: ${JSON.stringify(REQUESTS)}.map((headers) => explain(table, { headers, cluster: "reviews", now: 0 })),
      compiled: configuration.routes,
      mistakes: mistakes(),
      schema: pluginJsonSchema(),
    };
  `);
  const table = parseConfiguration(TABLE);
  expect(answers).toEqual({
    explained: REQUESTS.map((headers) =>
      explain(table, { headers: headers as [string, string][], cluster: "reviews", now: 0 }),
    ),
    compiled: [{ from: "reviews", key: "k", to: "reviews-k" }],
    mistakes: [{ path: ["routes", 0, "to"], message: "required", at: { line: 2, col: 5 } }],
    schema: JSON.parse(JSON.stringify(pluginJsonSchema())),
  });
});

test("whatever needs Node is missed there", async () => {
  await expect(inBrowser('export default Buffer.from("a")')).rejects.toThrow("Buffer is not defined");
  await expect(inBrowser('import fs from "node:fs"; export default fs.constants')).rejects.toThrow("node:fs");
});
