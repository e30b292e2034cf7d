import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { KeywayError, reason } from "../errors.ts";
import { withLimit } from "../net/limit.ts";
import type { Env } from "./kubeconfig.ts";
import type { ClusterEntry, ExecEntry } from "./kubeconfig-file.ts";

/** What a credential plugin prints. The certificate and its key are PEM. */
export interface ExecCredential {
  token?: string;
  clientCertificateData?: string;
  clientKeyData?: string;
  expirationTimestamp?: string;
}

/** Milliseconds for a plugin that asks nobody; one that may ask a person has no limit but the command's own. */
const PLUGIN_LIMIT = 60_000;
const LONGEST_TIMER = 2 ** 31 - 1;
/** The extension of a cluster entry that is meant for plugins. */
const EXTENSION = "client.authentication.k8s.io/exec";

/** Runs the command of a kubeconfig's user that prints credentials (client.authentication.k8s.io). */
export async function execCredential(
  exec: ExecEntry,
  cluster: ClusterEntry & { server: string },
  env: Env,
  signal: AbortSignal,
): Promise<ExecCredential> {
  const { command = "", args, installHint, interactiveMode = "IfAvailable", apiVersion } = exec;
  const interactive = interactiveMode !== "Never" && process.stdin.isTTY === true;
  if (interactiveMode === "Always" && !interactive) {
    throw new KeywayError(`the credential plugin ${command} wants to ask a person, and standard input is no terminal`, {
      next: "run the command from a terminal, or use credentials that need no person",
    });
  }
  const spec = { interactive, ...(exec.provideClusterInfo && { cluster: clusterInfo(cluster) }) };
  const info = JSON.stringify({ apiVersion, kind: "ExecCredential", spec });
  const own = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]));
  const limit = {
    ms: interactive ? LONGEST_TIMER : PLUGIN_LIMIT,
    signal,
    who: `the credential plugin ${command}`,
    where: "the kubeconfig's user",
  };
  const printed = await withLimit(limit, (ended) =>
    run(command, args ?? [], { ...env, ...own, KUBERNETES_EXEC_INFO: info }, interactive, ended),
  ).catch((thrown: unknown) => {
    if (thrown instanceof KeywayError || signal.aborted) throw thrown;
    const missing = (thrown as NodeJS.ErrnoException).code === "ENOENT";
    throw new KeywayError(
      `the credential plugin ${command} ${missing ? "is not there" : `failed: ${reason(thrown)}`}`,
      {
        where: "the kubeconfig's user",
        next: missing && installHint ? installHint : `run \`${[command, ...(args ?? [])].join(" ")}\` to see why`,
        cause: thrown,
      },
    );
  });
  return statusOf(printed, command);
}

function clusterInfo(cluster: ClusterEntry & { server: string }): object {
  const { extensions: list = [], ...entry } = cluster;
  const config = (Array.isArray(list) ? list : []).find(({ name }) => name === EXTENSION)?.extension;
  const names = [
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority-data",
    "proxy-url",
  ] as const;
  const said = names.filter((name) => entry[name] !== undefined).map((name) => [name, entry[name]]);
  return { ...Object.fromEntries(said), ...(config !== undefined && { config }) };
}

async function run(
  command: string,
  args: string[],
  env: Env,
  interactive: boolean,
  signal: AbortSignal,
): Promise<string> {
  const child = spawn(command, args, { env, signal, stdio: [interactive ? "inherit" : "ignore", "pipe", "pipe"] });
  const code = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  // What a plugin says on standard error is for the person who logs in; without one it explains a failure.
  if (interactive) child.stderr?.on("data", (piece) => process.stderr.write(piece));
  const [exit, out, err] = await Promise.all([code, text(child.stdout), text(child.stderr)]);
  if (exit !== 0) throw new Error(`exit code ${exit}${err.trim() && `: ${err.trim()}`}`);
  return out;
}

function statusOf(printed: string, command: string): ExecCredential {
  const { status } = parsed(printed);
  if (typeof status === "object" && status !== null && ("token" in status || "clientCertificateData" in status)) {
    return status as ExecCredential;
  }
  // What was printed may hold a secret, so it is not shown.
  throw new KeywayError(`the credential plugin ${command} printed no ExecCredential with a token or a certificate`, {
    where: "the kubeconfig's user",
  });
}

function parsed(printed: string): { status?: unknown } {
  try {
    return (JSON.parse(printed) ?? {}) as { status?: unknown };
  } catch {
    return {};
  }
}
