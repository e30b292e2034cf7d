import { InvalidArgumentError } from "commander";
import { KeywayError, UsageError } from "../../shared/errors.ts";
import { decode, readBytes } from "../../shared/input.ts";
import type { Io } from "../../shared/io.ts";
import { Secret } from "../cli/secret.ts";
import { DEFAULT_SERVER, parseServer, type TableFlags } from "../cli/table-flags.ts";
import type { ServerTable } from "./on-server.ts";
import type { RouteTable } from "./table.ts";

/** The routes that the flags and the environment name. Flags that name a place of another kind win over the environment. */
export async function openTable(flags: TableFlags, io: Io): Promise<RouteTable> {
  if (flags.routes !== undefined) {
    const { FileTable } = await import("./in-file.ts");
    return new FileTable(flags.routes, io);
  }
  return openRemote(flags, io);
}

/** A server's routes, or a cluster's; `routes` names no place here. */
export async function openRemote(flags: TableFlags, io: Io): Promise<RouteTable> {
  const { kube, kubeconfig, context, namespace } = flags;
  if (kube || [kubeconfig, context, namespace].some((flag) => flag !== undefined)) {
    const { connectCluster } = await import("../cli/connect.ts");
    const { ClusterTable } = await import("./in-cluster.ts");
    const cluster = await connectCluster(flags, io);
    return new ClusterTable(cluster, namespace ?? cluster.namespace);
  }
  return openServer(flags, io);
}

export async function openServer(flags: TableFlags, io: Io): Promise<ServerTable> {
  const { RouteServer } = await import("../server-client/client.ts");
  const { ServerTable } = await import("./on-server.ts");
  const said = flags.server ?? fromEnvironment(io.env.KEYWAY_SERVER);
  const url = said ?? new URL(DEFAULT_SERVER);
  const token = await tokenOf(flags, io);
  const server = new RouteServer({
    url,
    token,
    env: io.env,
    signal: io.signal,
    ...(flags.timeout !== undefined && { patience: flags.timeout * 1000 }),
    notThere:
      said === undefined
        ? "name the server with --server or KEYWAY_SERVER, a route file with -f, or a cluster with --kube; `keyway serve` starts a server here"
        : "check the address; is `keyway serve` running there?",
  });
  return new ServerTable(server, url);
}

function fromEnvironment(text: string | undefined): URL | undefined {
  if (!text) return undefined;
  try {
    return parseServer(text);
  } catch (thrown) {
    if (!(thrown instanceof InvalidArgumentError)) throw thrown;
    throw new UsageError(`KEYWAY_SERVER holds no address of a server: ${thrown.message}`);
  }
}

async function tokenOf({ token, tokenFile }: TableFlags, { env }: Io): Promise<Secret | undefined> {
  if (token !== undefined) return secret(token, "--token");
  if (tokenFile !== undefined) return fromFile(tokenFile);
  if (env.KEYWAY_TOKEN) return secret(env.KEYWAY_TOKEN, "KEYWAY_TOKEN");
  return env.KEYWAY_TOKEN_FILE ? fromFile(env.KEYWAY_TOKEN_FILE) : undefined;
}

async function fromFile(path: string): Promise<Secret> {
  return secret(decode(await readBytes(path, "name the file that holds the token"), path), path);
}

function secret(text: string, where: string): Secret {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return new Secret(token);
  const what =
    token === "" ? "there is no token in it" : "this can be no token: it has spaces, line breaks or the like";
  throw new KeywayError(what, { where, next: "put the token there, alone" });
}
