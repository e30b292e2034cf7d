// Node.js in other versions than the one that runs this, as npm packages carry it.
import { join } from "node:path";
import { cached } from "./cache.ts";
import { run } from "./command.ts";

/** The newest Node.js that Keyway is tried on. The oldest is what `engines` in package.json says. */
export const NEWEST_NODE = "26.10.0";

/** Path of a Node.js of this version. */
export async function node(version: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`;
  const doing = `downloading Node.js ${version} (about 45 MB, once)`;
  const make = async (directory: string) => {
    const quiet = ["--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
    await run("npm", ["install", "--prefix", directory, ...quiet, `${name}@${version}`]);
  };
  const directory = await cached({ name: "node", version, doing, make });
  return join(directory, "node_modules", name, "bin", "node");
}
