// The Sandbox that the flags of `keyway sandbox create` stand for.

import { parseDuration } from "../../routes/model/duration.ts";
import { isResourceName } from "../../routes/model/route-resource.ts";
import {
  type ForkEntry,
  MAX_SANDBOX_NAME,
  SANDBOX_API,
  SANDBOX_KIND,
  type SandboxResource,
  type SandboxRoute,
} from "../../routes/model/sandbox.ts";
import { formatPath } from "../../routes/reading/diagnostic.ts";
import { readSandbox } from "../../routes/reading/sandbox.ts";
import { UsageError } from "../../shared/errors.ts";
import { MANAGED_BY_LABEL } from "../manifests/names.ts";
import { parseReference } from "../route-words/reference.ts";

export interface SandboxWords {
  route?: string[];
  key?: string;
  ttl?: string;
  expires?: string;
  include?: string[];
  label?: string[];
}

interface Place {
  name: string;
  namespace: string;
}

/** Throws a UsageError that names the flag. `there` is the Sandbox of that name as it is: a ttl counts from its creation on. */
export function wantedSandbox(
  { name, namespace }: Place,
  words: SandboxWords,
  forks: readonly ForkEntry[],
  there: SandboxResource | undefined,
  now = Date.now(),
): SandboxResource {
  const routes = (words.route ?? []).map(routeIn);
  const include = pairs(words.include, "--include");
  if (routes.length + forks.length === 0 && include === undefined) {
    throw new UsageError("a Sandbox without routes, forks and others that it includes changes nothing", {
      next: "say what is different: --fork KIND/NAME --image IMAGE, --route SERVICE=TARGET or --include LABEL=VALUE",
    });
  }
  const sandbox: SandboxResource = {
    apiVersion: SANDBOX_API,
    kind: SANDBOX_KIND,
    metadata: { name, namespace, labels: { ...pairs(words.label, "--label"), [MANAGED_BY_LABEL]: "keyway" } },
    spec: {
      ...(words.key !== undefined && { key: words.key }),
      ...(words.ttl !== undefined && { ttl: ttlFromNow(words.ttl, there?.metadata.creationTimestamp, now) }),
      ...(words.expires !== undefined && { expires: words.expires }),
      ...(routes.length > 0 && { routes }),
      ...(forks.length > 0 && { forks: [...forks] }),
      ...(include && { include: { matchLabels: include } }),
    },
  };
  checkName(name);
  const read = readSandbox(sandbox);
  if (!Array.isArray(read)) return sandbox;
  const [first, ...more] = read.map(({ path, message }) => `${flagOf(path, sandbox, words)}: ${message}`);
  throw new UsageError([first, ...more].join("\n  "));
}

function checkName(name: string): void {
  if (isResourceName(name) && name.length <= MAX_SANDBOX_NAME) return;
  throw new UsageError(`${JSON.stringify(name)} can't be the name of a Sandbox`, {
    next: `take 1 to ${MAX_SANDBOX_NAME} lower case letters, digits, - and .; the key may be another text: --key`,
  });
}

function routeIn(text: string): SandboxRoute {
  const [, service, to] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (service === undefined || to === undefined) {
    throw new UsageError(`--route ${text} is not SERVICE=TARGET`, { next: "write --route reviews=reviews-pr-42" });
  }
  return { service: parseReference(service), to: parseReference(to) };
}

function pairs(texts: readonly string[] | undefined, flag: string): Record<string, string> | undefined {
  if (texts === undefined) return undefined;
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, value] = /^([^=\s]+)=(.*)$/s.exec(text) ?? [];
      if (name === undefined || value === undefined) throw new UsageError(`${flag} ${text} is not NAME=VALUE`);
      return [name, value];
    }),
  );
}

const MINUTE = 60; // seconds

/** A ttl that ends so long from now on as was said, to the minute. Of a Sandbox that is about as old as now it is what was said. */
function ttlFromNow(ttl: string, created: string | undefined, now: number): string {
  const seconds = parseDuration(ttl);
  const age = created === undefined ? 0 : Math.floor((now - Date.parse(created)) / 1000 / MINUTE) * MINUTE;
  return seconds === undefined || !(age > 0) ? ttl : durationText(age + seconds);
}

function durationText(seconds: number): string {
  let rest = seconds;
  const parts = (
    [
      ["d", 86_400],
      ["h", 3600],
      ["m", 60],
      ["s", 1],
    ] as const
  ).map(([unit, size]) => {
    const number = Math.floor(rest / size);
    rest -= number * size;
    return number > 0 ? `${number}${unit}` : "";
  });
  return parts.join("");
}

/** The flag that says what a path of the resource leads to. */
function flagOf(
  [root, field = "", at, ...rest]: readonly (string | number)[],
  { spec }: SandboxResource,
  words: SandboxWords,
): string {
  if (root === "metadata") return "the name";
  if (typeof at !== "number") return `--${field}`;
  const flag = field === "forks" ? `--fork ${spec.forks?.[at]?.workload}` : `--route ${words.route?.[at]}`;
  return rest.length === 0 ? flag : `${flag}: ${formatPath(rest)}`;
}
