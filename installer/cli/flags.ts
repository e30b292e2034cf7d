import { type Command, InvalidArgumentError, Option } from "commander";
import { UsageError } from "../../shared/errors.ts";
import {
  type FailStrategy,
  failStrategies,
  type Labels,
  type Mode,
  modes,
  type Phase,
  phases,
  type Scope,
} from "../manifests/installation.ts";
import { DEFAULT_NAME, ISTIO_NAMESPACE } from "../manifests/names.ts";

export interface ClusterFlags {
  kubeconfig?: string;
  context?: string;
  namespace?: string;
  istioNamespace: string;
}

export function clusterFlags(command: Command): Command {
  return placeFlags(command, "namespace of the workloads").option(
    "--istio-namespace <name>",
    "namespace of Istio's control plane",
    ISTIO_NAMESPACE,
  );
}

/** A namespace, and how its cluster is reached; `preset` where the namespace is not the context's unless said. */
export function placeFlags(command: Command, namespace: string, preset?: string): Command {
  const what = preset === undefined ? `${namespace} (default: the context's)` : namespace;
  return command
    .option("-n, --namespace <name>", what, parseName, preset)
    .option(
      "--kubeconfig <file>",
      "how to reach the cluster (default: $KUBECONFIG, ~/.kube/config, the pod's own account)",
    )
    .option("--context <name>", "context of the kubeconfig (default: its current one)");
}

export function nameFlag(command: Command): Command {
  return command.option(
    "--name <name>",
    "name of the installation, when there are several in one namespace",
    parseName,
    DEFAULT_NAME,
  );
}

/** What a person can say of an installation; what is not said stays as it is, or takes its default. */
export interface InstallationFlags {
  module?: string;
  routes?: string;
  /** False where the proxies are to follow no server any more. */
  server?: string | false;
  serverTokenFile?: string;
  selector?: Labels;
  targetRef?: string;
  mode?: Mode;
  phase?: Phase;
  priority?: number;
  imagePullSecret?: string;
  failStrategy?: FailStrategy;
  served?: boolean;
  cacheable?: boolean;
  watchModule?: string;
}

export function selectorFlag(command: Command): Command {
  return command.option(
    "-l, --selector <labels>",
    "only workloads with all these labels: app=reviews,version=v1; can be repeated (default: all)",
    parseLabels,
  );
}

export function scopeFlags(command: Command): Command {
  return selectorFlag(command)
    .option("--target-ref <gateway/NAME>", "the proxies of one Gateway API gateway", parseTargetRef)
    .addOption(
      new Option(
        "--mode <mode>",
        "which requests are looked at: those into the workloads, out of them, or both",
      ).choices(modes),
    );
}

export function contentFlags(command: Command): Command {
  return command
    .option("--module <url>", "the module that `keyway publish` named: oci://HOST/REPO@sha256:DIGEST")
    .option("-f, --routes <file>", "route file; - reads stdin")
    .option(
      "--server <address>",
      "the route server that proxies get their live table from: SERVICE.NAMESPACE[:PORT], or http://HOST:PORT",
    )
    .option("--no-server", "no live table any more")
    .option("--server-token-file <file>", "the token that the proxies show the route server, where it asks for one")
    .addOption(
      new Option("--phase <phase>", "run before Istio's filters of this phase (default: after all)").choices(phases),
    )
    .option(
      "--priority <number>",
      "order among the plugins of one phase, higher first (default: 10, without selector 0)",
      parseInteger,
    )
    .option("--image-pull-secret <name>", "secret in the namespace, for a registry that asks who you are")
    .addOption(
      new Option(
        "--fail-strategy <strategy>",
        "when the module can't run: serve the baseline, or refuse requests",
      ).choices(failStrategies),
    )
    .option("--served", "routed answers name their target in x-keyway-served (default: but at gateways)")
    .option("--no-served", "routed answers say nothing of their target")
    .option("--cacheable", "let shared caches keep routed answers of a gateway")
    .option("--no-cacheable", "keep routed answers of a gateway out of shared caches (default)")
    .option("--watch-module <file>", "the watcher for missing targets (default: the one that comes with this command)");
}

export interface WaitFlags {
  wait: boolean;
  timeout: number;
}

export function timeoutFlag(command: Command, seconds = 60, what = "how long the whole command may take"): Command {
  return command.option("--timeout <seconds>", what, parseSeconds, seconds);
}

export function waitFlags(command: Command, seconds?: number): Command {
  return timeoutFlag(
    command,
    seconds,
    "how long the whole command may take, with its wait for every selected proxy",
  ).option("--no-wait", "return when the API server has it");
}

export interface CheckFlags {
  allowEmpty?: boolean;
  ignore: string[];
}

export function checkFlags(command: Command): Command {
  return command
    .option("--allow-empty", "accept a selector that matches no workload yet")
    .option("--ignore <check>", "go on although this check fails; can be repeated", collect, [] as string[]);
}

export type DryRun = "client" | "server";

export interface ApplyFlags {
  dryRun?: DryRun;
  diff?: boolean;
  forceConflicts?: boolean;
}

export function dryRunOption(): Option {
  return new Option("--dry-run [where]", "change nothing; server (the default): let the API server validate it")
    .choices(["client", "server"])
    .preset("server");
}

export function applyFlags(command: Command): Command {
  return command
    .addOption(dryRunOption())
    .option("--diff", "print what would change, and change nothing")
    .option("--force-conflicts", "take back the fields that others have changed");
}

export function scopeOf({ selector, targetRef }: InstallationFlags): Scope | undefined {
  if (selector !== undefined && targetRef !== undefined)
    throw new UsageError("--selector and --target-ref exclude each other");
  if (targetRef !== undefined) return { gateway: targetRef };
  return selector === undefined ? undefined : { labels: selector };
}

const LABEL = /^([A-Za-z0-9][-A-Za-z0-9_./]*)={1,2}([A-Za-z0-9][-A-Za-z0-9_.]*)?$/;

/** Several selectors hold together, as several pairs of one do. */
function parseLabels(text: string, before: Labels = {}): Labels {
  const labels: Labels = { ...before };
  for (const part of text.split(",")) {
    const [, name, value = ""] = LABEL.exec(part.trim()) ?? [];
    if (name === undefined)
      throw new InvalidArgumentError(`"${part}" is not NAME=VALUE (Istio selects by equal labels alone).`);
    if (name in labels && labels[name] !== value)
      throw new InvalidArgumentError(`no workload has ${name}=${labels[name]} and ${name}=${value} at once.`);
    labels[name] = value;
  }
  return labels;
}

function parseTargetRef(text: string): string {
  const [, name] = /^(?:gateway\/)?([a-z0-9][-a-z0-9.]*)$/i.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError("expected gateway/NAME.");
  return name;
}

/** An empty name, as of a variable that is not set, would stand for all there are. */
export function parseName(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("expected a name; is a variable not set?");
  return text;
}

function parseInteger(text: string): number {
  if (!/^-?\d{1,9}$/.test(text)) throw new InvalidArgumentError("expected a whole number.");
  return Number(text);
}

export function parseSeconds(text: string): number {
  const [, number] = /^(\d{1,6}(?:\.\d+)?)s?$/.exec(text) ?? [];
  if (number === undefined || Number(number) === 0) throw new InvalidArgumentError("expected seconds, such as 90.");
  return Number(number);
}

function collect(text: string, before: string[]): string[] {
  return [...before, text];
}
