import type { LiveTable } from "../../routes/model/model.ts";
import { targetsOf } from "../../routes/model/targets.ts";
import type { KubeObject } from "../../shared/cluster/object.ts";
import type { IEnvoyFilter, IWasmPlugin } from "./kinds.ts";
import { CACHEABLE_ANNOTATION, MODE_ANNOTATION, SERVED_ANNOTATION, VERSION_VARIABLE } from "./names.ts";

export const modes = ["inbound", "outbound", "both", "gateway"] as const;
export type Mode = (typeof modes)[number];

/** Into a workload, and out of one or through a gateway. */
export const ways = ["inbound", "outbound"] as const;
export type Way = (typeof ways)[number];

/** The ways of requests that an installation's filter looks at. */
export function waysOf(mode: Mode): readonly Way[] {
  if (mode === "both") return ways;
  return mode === "inbound" ? ["inbound"] : ["outbound"];
}

/** Where a proxy looks at a request, in the words of an EnvoyFilter. */
export type Context = "SIDECAR_INBOUND" | "SIDECAR_OUTBOUND" | "GATEWAY";
export const phases = ["AUTHN", "AUTHZ", "STATS"] as const;
export type Phase = (typeof phases)[number];
export const failStrategies = ["FAIL_OPEN", "FAIL_CLOSE", "FAIL_RELOAD"] as const;
export type FailStrategy = (typeof failStrategies)[number];
export type Labels = Record<string, string>;

/** The proxies that an installation is for: those of pods with all these labels, or those of one Gateway API gateway. */
export type Scope = { labels: Labels } | { gateway: string };

/** The filter's configuration as the proxies get it. */
export type PluginConfig = Record<string, unknown>;

/** A service whose requests a route takes elsewhere, and the port that its pods listen on. */
export interface Baseline {
  name: string;
  namespace: string;
  port: number;
}

/** Everything that one `keyway install` puts into a cluster. */
export interface Installation {
  name: string;
  namespace: string;
  mode: Mode;
  scope: Scope;
  /** `oci://HOST/REPO@sha256:DIGEST` */
  module: string;
  /** Seconds since the epoch when it was made; grows with every change of anything. */
  version: number;
  config: PluginConfig;
  /** Known while the route file is at hand: inbound, a cluster's name no longer says whose port it is. */
  baselines?: Baseline[];
  failStrategy: FailStrategy;
  phase?: Phase;
  /** Higher runs earlier among the plugins of one phase. */
  priority: number;
  pullSecret?: string;
  /** Whether routed answers name their target; unless said, everywhere but at gateways. */
  served?: boolean;
  /** Whether shared caches may keep routed answers of a gateway. */
  cacheable?: boolean;
}

/** The clusters that the routes lead to, each once. */
export function targetNames({ config }: Pick<Installation, "config">): string[] {
  const routes = (config.routes ?? []) as Parameters<typeof targetsOf<string>>[0][];
  return [...new Set(routes.flatMap(targetsOf))];
}

/** The installation with those of its routes that a called workload's own proxy takes. */
export function inboundPart(installation: Installation): Installation {
  const { config, mode } = installation;
  const all = (config.routes ?? []) as { from?: string }[];
  const routes = waysOf(mode).includes("inbound") ? all.filter(({ from }) => !from?.startsWith("outbound|")) : [];
  return { ...installation, config: { ...config, routes } };
}

/** Where the proxies get their live table; undefined where they have none. */
export function tableOf(installation: Pick<Installation, "config"> | undefined): LiveTable | undefined {
  return installation?.config.table as LiveTable | undefined;
}

/** Whether the filter remembers which key a trace came in with. */
export function remembersTraces({ config }: Pick<Installation, "config">): boolean {
  return Array.isArray(config.keys) && config.keys.includes("trace");
}

export function isNamespaceWide(scope: Scope): boolean {
  return "labels" in scope && Object.keys(scope.labels).length === 0;
}

/** Where two installations meet in one proxy, the one made for fewer workloads decides first. */
export function defaultPriority(scope: Scope): number {
  return isNamespaceWide(scope) ? 0 : 10;
}

export function describeScope(scope: Scope): string {
  if ("gateway" in scope) return `gateway ${scope.gateway}`;
  const labels = Object.entries(scope.labels).map(([name, value]) => `${name}=${value}`);
  return labels.length === 0 ? "every workload" : labels.join(",");
}

/** What is installed under a name now; undefined for what is not there. */
export interface Live {
  plugin: IWasmPlugin | undefined;
  filter: IEnvoyFilter | undefined;
  /** What the plugin says. */
  installation: Installation | undefined;
}

/** The version as it stands in an object or a proxy; 0 where somebody has written something else. */
export function readVersion(text: string | undefined): number {
  return /^\d{1,10}$/.test(text ?? "") ? Number(text) : 0;
}

/** A version for people: the moment when it was made. */
export function versionText(version: number): string {
  return version === 0
    ? `unknown (no number in ${VERSION_VARIABLE})`
    : new Date(version * 1000).toISOString().replace(".000Z", "Z");
}

/** The installation that a WasmPlugin made by Keyway stands for. */
export function readInstallation(plugin: IWasmPlugin): Installation {
  const { metadata, spec } = plugin;
  const version = spec?.vmConfig?.env?.find(({ name }) => name === VERSION_VARIABLE)?.value;
  const gateway = spec?.targetRefs?.[0]?.name;
  const served = metadata?.annotations?.[SERVED_ANNOTATION];
  const phase = phases.find((known) => known === spec?.phase);
  return {
    name: metadata?.name ?? "",
    namespace: metadata?.namespace ?? "",
    mode: readMode(plugin),
    scope: gateway === undefined ? { labels: spec?.selector?.matchLabels ?? {} } : { gateway },
    module: spec?.url ?? "",
    version: readVersion(version),
    config: withoutHopMark(spec?.pluginConfig ?? {}),
    failStrategy: spec?.failStrategy ?? "FAIL_CLOSE",
    priority: Number(spec?.priority ?? 0),
    ...(phase === undefined ? {} : { phase }),
    ...(spec?.imagePullSecret === undefined ? {} : { pullSecret: spec.imagePullSecret }),
    ...(served === undefined ? {} : { served: served === "true" }),
    ...(metadata?.annotations?.[CACHEABLE_ANNOTATION] === "true" && { cacheable: true }),
  };
}

/** Who adds the hop mark is not a person's choice: it follows from the routes that the EnvoyFilter brings. */
function withoutHopMark({ hopMark: _, ...config }: PluginConfig): PluginConfig {
  return config;
}

/** The mode as it stands on every object of an installation. */
export function annotatedMode({ metadata }: KubeObject): Mode | undefined {
  return modes.find((mode) => mode === metadata?.annotations?.[MODE_ANNOTATION]);
}

function readMode(plugin: IWasmPlugin): Mode {
  const { spec } = plugin;
  const matched = { CLIENT: "outbound", CLIENT_AND_SERVER: "both" } as const;
  return annotatedMode(plugin) ?? matched[spec?.match?.[0]?.mode as keyof typeof matched] ?? "inbound";
}
