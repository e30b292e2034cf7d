// The settings of `keyway serve`, described once: flags, environment, file, defaults and documentation come from here.
import { z } from "zod";
import { parseMapping } from "../import/mapping.ts";
import { isKey } from "../routes/model/key.ts";
import { DEFAULT_SOURCE } from "../routes/model/names.ts";
import { parseSource } from "../routes/model/sources.ts";
import { ConfigurationError, didYouMean } from "../routes/reading/diagnostic.ts";
import { readYaml } from "../routes/reading/yaml.ts";
import { UsageError } from "../shared/errors.ts";
import { readInput, withFileErrors } from "../shared/input.ts";
import type { Io } from "../shared/io.ts";
import { parseAddress } from "./address.ts";
import { ROLES } from "./auth/authenticator.ts";

const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

const address = (example: string) =>
  z
    .string()
    .refine(
      (text) => parseAddress(text) !== undefined,
      `expected HOST:PORT, like 127.0.0.1:${example} or [::]:${example}`,
    );

export interface Setting {
  /** As the flag shows it: `<host:port>`. */
  value: string;
  description: string;
  /** As a person would write it; undefined where nothing is what is meant. */
  preset: string | undefined;
  schema: z.ZodType;
}

const setting = <Schema extends z.ZodType>(
  value: string,
  description: string,
  preset: string | undefined,
  schema: Schema,
) => ({ value, description, preset, schema });

const UNITS: Record<string, number> = {
  "": 1,
  k: 1000,
  Ki: 1024,
  M: 1_000_000,
  Mi: 1_048_576,
  G: 1e9,
  Gi: 1_073_741_824,
};
const SIZE = "expected a size from 1Ki to 512Mi";
const size = z.union([z.string(), z.number().multipleOf(1, SIZE)]).transform((value, { issues }) => {
  const [, digits = "", unit = ""] = /^(\d{1,12})(k|Ki|M|Mi|G|Gi)?$/.exec(String(value)) ?? [];
  const bytes = Number(digits) * (UNITS[unit] ?? 1);
  if (bytes >= 1024 && bytes <= 2 ** 29) return bytes;
  issues.push({ code: "custom", input: value, message: SIZE });
  return z.NEVER;
});

/** Its JSON Schema has the bounds for numbers, so that Helm knows them, too; a pattern has none. */
function whole(least: number, most: number) {
  const what = `expected a whole number from ${least} to ${most}`;
  return z.union([
    z
      .string()
      .regex(/^\d{1,9}$/, what)
      .transform(Number)
      .refine((value) => value >= least && value <= most, what),
    z.number({ error: what }).multipleOf(1, what).min(least, what).max(most, what),
  ]);
}

const sources = z
  .union([z.array(z.string()), z.string().transform((text) => text.split(",").map((one) => one.trim()))])
  .check(({ value, issues }) => {
    for (const one of value) {
      const parsed = parseSource(one);
      if (parsed instanceof Error) issues.push({ code: "custom", input: value, message: parsed.message });
    }
  });

const mappings = z
  .union([z.array(z.string()), z.string().transform((text) => text.split(";").map((one) => one.trim()))])
  .transform((all, { issues }) => {
    return all.flatMap((one) => {
      try {
        return [parseMapping(one)];
      } catch {
        issues.push({ code: "custom", input: one, message: "expected TAG=subset:SUBSET or TAG=service:SERVICE" });
        return [];
      }
    });
  });

const file = z.string().min(1, "expected a file");

const PEERS = "expected NAMESPACE/SERVICE, or the servers' addresses, like http://10.0.0.1:8700,http://10.0.0.2:8700";
const LABEL = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";

/** A Service, or addresses without a slash at their end. */
const peers = z
  .union([z.string().transform((text) => text.split(",").map((one) => one.trim())), z.array(z.string())], {
    error: PEERS,
  })
  .transform((all, { issues }) => {
    const [, namespace, service] = new RegExp(`^(${LABEL})/(${LABEL})$`).exec(all.join()) ?? [];
    if (namespace !== undefined && service !== undefined) return { namespace, service };
    const urls = all.map((text) => URL.parse(text));
    if (
      urls.every((url) => url && /^https?:$/.test(url.protocol) && url.pathname === "/" && !url.search && !url.username)
    ) {
      return [...new Set(urls.map((url) => `${url?.origin}`))];
    }
    issues.push({ code: "custom", input: all, message: PEERS });
    return z.NEVER;
  });

/** By their names in the file; flags and variables are spelled as they are: `--max-body`, `KEYWAY_SERVE_MAX_BODY`. */
export const SETTINGS = {
  listen: setting(
    "host:port",
    "where to listen; beyond this machine only with --tokens",
    "127.0.0.1:8700",
    address("8700"),
  ),
  store: setting(
    "store",
    "where the routes are kept: sqlite:FILE, made where it is not there, kubernetes[:NAMESPACE], or etcd:URL,URL",
    "sqlite:keyway.db",
    z
      .string()
      .regex(
        /^(?:sqlite:.+|kubernetes(?::.+)?|etcd:.+)$/s,
        "expected sqlite:FILE, kubernetes[:NAMESPACE] or etcd:URL,URL",
      ),
  ),
  etcdUser: setting("name", "user of etcd", undefined, z.string().min(1, "expected a name")),
  etcdPasswordFile: setting("file", "file with the user's password", undefined, file),
  etcdCa: setting("file", "certificates that etcd's one is checked against, as PEM", undefined, file),
  etcdCert: setting("file", "client certificate for etcd, as PEM", undefined, file),
  etcdKey: setting("file", "key of the client certificate, as PEM", undefined, file),
  tokens: setting("file", "whose tokens may read, write, and fetch tables", undefined, file),
  anonymous: setting(
    "roles",
    "what requests without a token may do where Kubernetes' own tokens are used, separated by commas: read, write, proxy",
    undefined,
    z
      .union([z.string().transform((text) => text.split(",").map((one) => one.trim())), z.array(z.string())])
      .pipe(z.array(z.enum(ROLES, { error: `expected ${ROLES.join(", ")}` }))),
  ),
  peers: setting(
    "servers",
    "all servers on the same store, so that each can count the proxies of all: NAMESPACE/SERVICE, whose EndpointSlices have their addresses, or URL,URL",
    undefined,
    peers,
  ),
  peersTokenFile: setting(
    "file",
    "token with the role read that this server shows to the others; with a Service, the token with which it asks the API server unless said",
    undefined,
    file,
  ),
  domain: setting(
    "name",
    "DNS domain of the mesh",
    "cluster.local",
    z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "expected a DNS domain, like cluster.local"),
  ),
  controller: setting(
    "true|false",
    "whether this server, with --store kubernetes, may tell in the statuses of Sandboxes what became of them, and make their forks; of several servers one does",
    "true",
    z.union([z.boolean(), z.enum(["true", "false"]).transform((word) => word === "true")], {
      error: "expected true or false",
    }),
  ),
  overrides: setting(
    "namespaces",
    "namespaces, separated by commas, in which the versions of pods (label version) become routes for `x-override: SERVICE:VERSION`",
    undefined,
    z
      .union([z.string().transform((text) => text.split(",").map((one) => one.trim())), z.array(z.string())])
      .pipe(z.array(z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "expected names of namespaces")).min(1)),
  ),
  readiness: setting(
    "how",
    "whether a target without a ready pod leaves the tables, where the routes are in Kubernetes: endpoints, or off where pods are in other clusters, too",
    "endpoints",
    z.enum(["endpoints", "off"], { error: "expected endpoints or off" }),
  ),
  settle: setting(
    "seconds",
    "how long an endpoint has to be ready before its route is in the tables again: a mesh's control plane takes that long to tell its proxies",
    "1",
    whole(0, 60),
  ),
  keys: setting("sources", "sources of keys that explanations go by, separated by commas", DEFAULT_SOURCE, sources),
  hierarchy: setting(
    "character",
    "the character between the parts of a key, for explanations",
    undefined,
    z.string().refine((text) => text.length === 1 && isKey(text), "expected one character that a key may contain"),
  ),
  signadotGrpc: setting(
    "host:port",
    "where clients of Signadot's routes API find its gRPC service, without tokens: whoever reaches it reads all keys",
    undefined,
    address("7777"),
  ),
  signadotRest: setting(
    "host:port",
    "where clients of Signadot's routes API find its REST, without tokens as well",
    undefined,
    address("7778"),
  ),
  amalgam8: setting(
    "host:port",
    "where Amalgam8's clients find its registry and its rules; beyond this machine only with --tokens",
    undefined,
    address("7779"),
  ),
  amalgam8Map: setting(
    "mappings",
    "what the tags of Amalgam8's backends stand for, as in `route import --map`, separated by semicolons: *=service:{service}-{tag}; the subset of the tag's name unless said",
    undefined,
    mappings,
  ),
  maxBody: setting("size", "largest body of a request, 1Ki to 512Mi", "256Mi", size),
  maxRoutes: setting("number", "routes that one transaction may set and delete", "1000000", whole(1, 100_000_000)),
  writeTimeout: setting(
    "seconds",
    "how long a write waits for the store, and a second more for each 100 routes of it",
    "20",
    whole(1, 3600),
  ),
  maxConnections: setting("number", "connections at the same time, of proxies too", "20000", whole(1, 1_000_000)),
  grace: setting("seconds", "how long the end waits for requests that are under way", "10", whole(0, 600)),
  logLevel: setting(
    "level",
    `what is logged on stderr: ${LOG_LEVELS.join(", ")}; debug has every request`,
    "info",
    z.enum(LOG_LEVELS, { error: `expected ${LOG_LEVELS.join(", ")}` }),
  ),
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
export const settingNames = Object.keys(SETTINGS) as SettingName[];
type Value<Name extends SettingName> = z.output<(typeof SETTINGS)[Name]["schema"]>;
type Optional =
  | "tokens"
  | "anonymous"
  | "hierarchy"
  | "overrides"
  | "peers"
  | "peersTokenFile"
  | "signadotGrpc"
  | "signadotRest"
  | "amalgam8"
  | "amalgam8Map"
  | "etcdUser"
  | "etcdPasswordFile"
  | "etcdCa"
  | "etcdCert"
  | "etcdKey";
export type Settings = { [Name in Exclude<SettingName, Optional>]: Value<Name> } & { [Name in Optional]?: Value<Name> };

export const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
export const variableOf = (name: string): string => `KEYWAY_SERVE_${name.replace(/[A-Z]/g, "_$&").toUpperCase()}`;
/** The variable that names the file of settings. */
export const CONFIG_VARIABLE = "KEYWAY_SERVE_CONFIG";

/** Flags over environment over the file over defaults. `flags` are by the names of settings, and `config` names the file. */
export async function readSettings(flags: Readonly<Record<string, string | undefined>>, io: Io): Promise<Settings> {
  const file = flags.config ?? io.env[CONFIG_VARIABLE];
  const configured = file === undefined ? {} : await readFile(file, io);
  const settings: Record<string, unknown> = {};
  for (const name of settingNames) {
    const { preset, schema }: Setting = SETTINGS[name];
    const variable = io.env[variableOf(name)];
    const [value, where] =
      flags[name] !== undefined
        ? [flags[name], flagOf(name)]
        : variable !== undefined
          ? [variable, variableOf(name)]
          : name in configured
            ? [configured[name], `${file}: ${name}`]
            : [preset, name];
    if (value === undefined) continue;
    const result = schema.safeParse(value);
    if (!result.success) {
      throw new UsageError(`${where}: ${wrong(result.error, value)}`, { next: "see `keyway serve --help`" });
    }
    settings[name] = result.data;
  }
  return settings as Settings;
}

/** What is wrong with the value of a setting; undefined where nothing is. */
export function mistakeIn(name: SettingName, value: string): string | undefined {
  const { schema }: Setting = SETTINGS[name];
  const { error } = schema.safeParse(value);
  return error && wrong(error, value);
}

const wrong = (error: z.ZodError, value: unknown): string => `${firstMessage(error)}, not ${JSON.stringify(value)}`;

function firstMessage(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue?.code !== "invalid_union") return issue?.message ?? "";
  return (
    issue.errors.flat().find(({ code }) => code !== "invalid_type")?.message ?? "a value of another type is expected"
  );
}

async function readFile(file: string, io: Io): Promise<Record<string, unknown>> {
  const content = await readInput(file, io);
  return withFileErrors(file, () => {
    const { value, locate } = readYaml(content);
    if (value === null || value === undefined) return {};
    if (typeof value !== "object" || Array.isArray(value)) {
      throw new ConfigurationError(locate([{ path: [], message: "expected settings, like listen: 127.0.0.1:8700" }]));
    }
    const unknown = Object.keys(value).filter((name) => !settingNames.includes(camel(name) as SettingName));
    if (unknown.length > 0) {
      const diagnostics = unknown.map((field) => {
        return { path: [], field, message: `unknown setting "${field}"${didYouMean(field, settingNames)}` };
      });
      throw new ConfigurationError(locate(diagnostics));
    }
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [camel(name), one]));
  });
}

const camel = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Variables that look like settings and are none. Kubernetes sets such ones where a Service is called keyway-serve, so they are
 * no error. */
export function unknownVariables(env: Io["env"]): string[] {
  const known = [...settingNames.map(variableOf), CONFIG_VARIABLE];
  return Object.keys(env).filter((name) => name.startsWith("KEYWAY_SERVE_") && !known.includes(name));
}
