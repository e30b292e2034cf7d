// A Rust crate compiled to a Wasm module: by the machine's own toolchain where it can, else by Debian's, unpacked into the cache.
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.ts";
import { run } from "./command.ts";
import { environment, onPath, unpack } from "./debian.ts";

const SOURCES = ["Cargo.toml", "Cargo.lock", "src/lib.rs"];
const TARGETS = ["wasm32-wasip1", "wasm32-wasi"];
const DEBIAN = ["rustc", "cargo", "libstd-rust-dev-wasm32", "lld"];

const VENDORED = `[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "vendor"
`;

type Toolchain = { target: string; env: NodeJS.ProcessEnv };

/** Path of the module that a crate (one `src/lib.rs` and a lock file) compiles to. */
export async function rustModule(name: string, crate: string): Promise<string> {
  const digest = createHash("sha256");
  for (const file of SOURCES) digest.update(readFileSync(join(crate, file)));
  const version = digest.digest("hex").slice(0, 12);
  const doing = `compiling ${name} from Rust (a minute, once)`;
  return join(await cached({ name, version, doing, make: (directory) => build(crate, directory) }), "module.wasm");
}

async function build(crate: string, directory: string): Promise<void> {
  if (!onPath("cargo")) throw new Error("cargo, which fetches crates, is not on the PATH; install Rust");
  const work = join(directory, "work");
  for (const file of SOURCES) cpSync(join(crate, file), join(work, file));
  const { target, env } = (await toolchain(process.env)) ?? (await debianToolchain(work));
  await run("nice", ["-n", "10", "cargo", "build", "--release", "--locked", "--target", target], { cwd: work, env });
  const built = join(work, "target", target, "release");
  const module = readdirSync(built).find((file) => file.endsWith(".wasm")) as string;
  cpSync(join(built, module), join(directory, "module.wasm"));
  rmSync(work, { recursive: true });
}

/** The toolchain on the environment's PATH, if it can build for Wasm with WASI. */
async function toolchain(env: NodeJS.ProcessEnv): Promise<Toolchain | undefined> {
  const libraries = join((await run("rustc", ["--print", "sysroot"], { env })).trim(), "lib", "rustlib");
  const target = TARGETS.find((name) => existsSync(join(libraries, name)));
  return target === undefined ? undefined : { target, env };
}

// Debian's cargo cannot read today's index of crates, so the machine's own fetches them beforehand.
async function debianToolchain(work: string): Promise<Toolchain> {
  const make = async (directory: string) => unpack(directory, DEBIAN);
  const doing = "unpacking Debian's Rust, which can build for Wasm (about 120 MB, once)";
  const found = await toolchain(environment(await cached({ name: "rust", version: "debian", doing, make })));
  if (!found) throw new Error("no Rust here builds for Wasm; run `rustup target add wasm32-wasip1` and try again");
  await run("cargo", ["vendor", "--locked", "--quiet"], { cwd: work });
  mkdirSync(join(work, ".cargo"));
  writeFileSync(join(work, ".cargo", "config.toml"), VENDORED);
  return found;
}
