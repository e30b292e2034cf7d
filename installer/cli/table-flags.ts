import { type Command, InvalidArgumentError, Option } from "commander";
import { UsageError } from "../../shared/errors.ts";
import { type ClusterFlags, parseName, parseSeconds } from "./flags.ts";

/** Which routes are meant: those of a server, of a route file, or of a cluster. */
export interface TableFlags extends Partial<Pick<ClusterFlags, "kubeconfig" | "context" | "namespace">> {
  server?: URL;
  token?: string;
  tokenFile?: string;
  timeout?: number;
  kube?: boolean;
  /** A route file, where it is one of the places. */
  routes?: string;
}

export const DEFAULT_SERVER = "http://127.0.0.1:8700";
const OF_SERVERS = ["server", "token", "tokenFile", "timeout"];
const OF_CLUSTERS = ["kube", "kubeconfig", "context", "namespace"];

export function serverFlags(command: Command): Command {
  return command
    .option("--server <url>", `the route server (default: $KEYWAY_SERVER, or ${DEFAULT_SERVER})`, parseServer)
    .addOption(
      new Option("--token-file <file>", "file with the token for the server (default: $KEYWAY_TOKEN_FILE)").conflicts(
        "token",
      ),
    )
    .option("--token <token>", "the token itself; others on this machine can see it (default: $KEYWAY_TOKEN)")
    .option("--timeout <seconds>", "how long the server may be silent (default: 30)", parseSeconds);
}

/** A server, or a cluster. */
export function remoteFlags(command: Command): Command {
  return serverFlags(command)
    .addOption(
      new Option("--kube", "the Route resources of a Kubernetes cluster, in place of a server").conflicts(OF_SERVERS),
    )
    .addOption(
      new Option("-n, --namespace <name>", "their namespace; means --kube (default: the context's)")
        .argParser(parseName)
        .conflicts(OF_SERVERS),
    )
    .addOption(new Option("--kubeconfig <file>", "how to reach the cluster; means --kube").conflicts(OF_SERVERS))
    .addOption(new Option("--context <name>", "context of the kubeconfig; means --kube").conflicts(OF_SERVERS));
}

/** A server, a cluster or a route file. */
export function tableFlags(command: Command): Command {
  return remoteFlags(command).addOption(
    new Option("-f, --routes <file>", "a route file, in place of a server; - is from stdin to stdout").conflicts([
      ...OF_SERVERS,
      ...OF_CLUSTERS,
      "wait",
    ]),
  );
}

export interface FilterFlags {
  service?: string;
  from?: string;
  key?: string;
  owner?: string;
  label?: string[];
}

export function filterFlags(command: Command): Command {
  return command
    .option("--service <service>", "only routes of this service; without a port, with any", parseName)
    .option("--from <cluster>", "only routes from this cluster", parseName)
    .option("--key <key>", "only routes of this key", parseName)
    .option("--owner <name>", "only routes of this owner", parseName)
    .option(
      "-l, --label <name=value>",
      "only routes with this label, or with one of this name; can be repeated",
      collect,
    );
}

export interface ChangeFlags {
  dryRun?: boolean;
  diff?: boolean;
}

export function changeFlags(command: Command): Command {
  return command
    .option("--dry-run", "change nothing; say what would become of each route")
    .option("--diff", "print what would change, and change nothing");
}

export interface WaitFlag {
  /** Seconds. */
  wait?: number;
}

/** For changes of a server's routes. */
export function waitFlag(command: Command): Command {
  return command.addOption(
    new Option("--wait [seconds]", "wait until all proxies that follow the server have it in force (default: 30 s)")
      .preset("30")
      .argParser(parseSeconds)
      .conflicts(["dryRun", "diff", ...OF_CLUSTERS]),
  );
}

/** Undefined where nothing is asked for, which stands for all routes. */
export function filterOf({ service, from, key, owner, label }: FilterFlags) {
  const filter = {
    ...(service !== undefined && { service }),
    ...(from !== undefined && { from }),
    ...(key !== undefined && { key }),
    ...(owner !== undefined && { owner }),
    ...(label && { labels: label }),
  };
  return Object.keys(filter).length === 0 ? undefined : filter;
}

export function collect(text: string, before: string[] = []): string[] {
  if (text.trim() === "") throw new InvalidArgumentError("expected a text; is a variable not set?");
  return [...before, text];
}

/** `HOST:PORT` stands for plain HTTP, as `keyway serve` speaks it. */
export function parseServer(text: string): URL {
  const url = text.includes("://") ? text : `http://${text}`;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== "http:" && parsed?.protocol !== "https:") {
    throw new InvalidArgumentError("expected http://HOST:PORT or https://HOST.");
  }
  // Not an InvalidArgumentError, whose text would repeat the URL with its password.
  if (parsed.username || parsed.password) {
    throw new UsageError("the server's address takes no credentials; give a token with --token-file or KEYWAY_TOKEN");
  }
  if (parsed.search || parsed.hash) throw new InvalidArgumentError("expected an address without ? and #.");
  return parsed;
}
