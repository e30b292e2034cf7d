// What `docker login` left: the configuration file and the credential helpers that it names.
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { KeywayError, printable, reason } from "../../shared/errors.ts";
import type { Io } from "../../shared/io.ts";
import { NoAnswer, withLimit } from "../../shared/net/limit.ts";
import { Secret } from "../cli/secret.ts";
import type { Credentials } from "./auth.ts";

interface DockerConfig {
  auths?: Record<
    string,
    { auth?: string; username?: string; password?: string; identitytoken?: string; registrytoken?: string }
  >;
  credHelpers?: Record<string, string>;
  credsStore?: string;
}

/** Docker Hub is logged in to under an address of its own. */
const HUB = "https://index.docker.io/v1/";
const HELPER_TIMEOUT = 30_000; // ms

const HUB_HOSTS = ["docker.io", "index.docker.io", "registry-1.docker.io"];

export async function dockerCredentials(host: string, io: Io): Promise<Credentials | undefined> {
  const { env } = io;
  const path = join(env.DOCKER_CONFIG ?? join(env.HOME ?? homedir(), ".docker"), "config.json");
  const config = await read(path);
  const names = HUB_HOSTS.includes(host) ? [HUB] : [host, `https://${host}`];
  for (const name of names) {
    const helper = config.credHelpers?.[name] ?? config.credsStore;
    const found = (helper && (await ask(helper, name, io))) || stored(config, name);
    if (found) return found;
  }
  return undefined;
}

async function read(path: string): Promise<DockerConfig> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as DockerConfig;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    const what = cause instanceof SyntaxError ? "it is not JSON" : reason(cause);
    throw new KeywayError(`can't read Docker's configuration: ${what}`, {
      where: path,
      next: "mend the file, or set DOCKER_CONFIG to the folder of another",
    });
  }
}

function stored(config: DockerConfig, name: string): Credentials | undefined {
  const entry = config.auths?.[name] ?? config.auths?.[`${name}/`];
  if (!entry) return undefined;
  if (entry.registrytoken) return { kind: "bearer", token: new Secret(entry.registrytoken) };
  if (entry.identitytoken) return { kind: "identity", token: new Secret(entry.identitytoken) };
  const decoded = entry.auth ? Buffer.from(entry.auth, "base64").toString("utf8") : "";
  const colon = decoded.indexOf(":");
  const username = entry.username ?? decoded.slice(0, Math.max(colon, 0));
  const password = entry.password ?? decoded.slice(colon + 1);
  return username ? { kind: "basic", username, password: new Secret(password) } : undefined;
}

/** Asks `docker-credential-NAME`, which answers with JSON, or says that it has none. */
async function ask(name: string, host: string, io: Io): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`;
  const refuse = (what: string, cause?: unknown) =>
    new KeywayError(`the credential helper ${program} ${what}`, {
      where: host,
      next: "run `docker login`, or give --username and --password-stdin",
      cause,
    });
  const limit = { ms: HELPER_TIMEOUT, signal: io.signal, who: `the credential helper ${program}`, where: host };
  const { code, out, err } = await withLimit(limit, (ended) => answer(program, host, io, ended)).catch((cause) => {
    if (io.signal.aborted) throw cause;
    const timedOut = cause instanceof NoAnswer;
    throw refuse(
      timedOut ? `does not answer within ${HELPER_TIMEOUT / 1000} s` : `can't be run: ${reason(cause)}`,
      cause,
    );
  });
  if (code !== 0) {
    if (/credentials not found/i.test(out)) return undefined;
    const said = complaintOf(err || out);
    throw refuse(`failed with exit code ${code}${said && `: ${said}`}`);
  }
  try {
    const { Username, Secret: text } = JSON.parse(out) as { Username: string; Secret: string };
    const secret = new Secret(text);
    return Username === "<token>"
      ? { kind: "identity", token: secret }
      : { kind: "basic", username: Username, password: secret };
  } catch {
    throw refuse("answered something other than JSON");
  }
}

/** What a helper that failed says, as one short line; nothing when that may hold a secret. */
function complaintOf(said: string): string {
  return /"Secret"/i.test(said) ? "" : printable(said.trim());
}

interface Answer {
  code: number | null;
  out: string;
  err: string;
}

function answer(program: string, input: string, { env }: Io, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["get"], { env: { ...env }, stdio: ["pipe", "pipe", "pipe"], signal });
    const said = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said.out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said.err += text;
    });
    child.on("error", (error) => {
      // A process that the helper has started may hold its pipes open, so their end is not waited for.
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      reject(error);
    });
    child.on("close", (code) => resolve({ code, ...said }));
    child.stdin.on("error", () => {}); // a helper may end without reading
    child.stdin.end(`${input}\n`);
  });
}
