// Services with OpenTelemetry's own instrumentation and its defaults, in Node.js and in Python. Their code knows nothing of it: it is put in when they start.
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.ts";
import { run } from "./command.ts";

const SOURCES = join(import.meta.dirname, "opentelemetry");

/** How a service is run. It listens on $PORT, calls $NEXT, and sends its traces to $OTEL_EXPORTER_OTLP_ENDPOINT. */
export interface Instrumented {
  command: string[];
  env: Record<string, string>;
}

export async function nodeService(): Promise<Instrumented> {
  const doing = "installing OpenTelemetry's instrumentation of Node.js (about 115 MB, once)";
  const directory = await part("node", ["package.json", "package-lock.json"], doing, async (directory) => {
    const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    await run("npm", ["ci", "--prefix", directory, ...quiet]);
  });
  const register = "node_modules/@opentelemetry/auto-instrumentations-node/build/src/register.js";
  return {
    command: [process.execPath, "--require", join(directory, register), join(SOURCES, "service.cjs")],
    // Else it asks the metadata servers of clouds where it runs.
    env: { OTEL_NODE_RESOURCE_DETECTORS: "none" },
  };
}

export async function pythonService(): Promise<Instrumented> {
  const doing = "installing OpenTelemetry's instrumentation of Python (about 25 MB, once)";
  const directory = await part("python", ["requirements.txt"], doing, async (directory) => {
    const quiet = ["--quiet", "--no-deps", "--disable-pip-version-check", "--root-user-action", "ignore"];
    const requirements = join(directory, "requirements.txt");
    await run("python3", ["-m", "pip", "install", ...quiet, "--target", directory, "-r", requirements]);
  });
  return {
    command: [join(directory, "bin", "opentelemetry-instrument"), "python3", join(SOURCES, "service.py")],
    env: { PYTHONPATH: directory, OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" },
  };
}

/** A directory with these files and what `install` makes of them, named after what they hold. */
function part(language: string, files: string[], doing: string, install: (directory: string) => Promise<void>) {
  const digest = createHash("sha256");
  for (const file of files) digest.update(readFileSync(join(SOURCES, file)));
  return cached({
    name: `opentelemetry-${language}`,
    version: digest.digest("hex").slice(0, 12),
    doing,
    make: async (directory) => {
      for (const file of files) copyFileSync(join(SOURCES, file), join(directory, file));
      await install(directory);
    },
  });
}
