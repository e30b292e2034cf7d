// Regular expressions of other systems that say what Keyway has a condition or a key for. Here a pattern has to match the whole value, as
// RE2 does in Envoy.
import { PRESETS } from "../routes/model/sources.ts";
import { type Comparison, comparisonOf, literal } from "./comparison.ts";

/** The texts that one of several alternatives has to be: `a|b`, `^(a|b.*)$`. Undefined where Keyway can't compare one of them. */
export function alternatives(pattern: string): Comparison[] | undefined {
  const inner = pattern.replace(/^\^/, "").replace(/(?<!\\)\$$/, "");
  const [, group] = /^\((?:\?:)?([^()]*)\)$/s.exec(inner) ?? [];
  const found = (group ?? inner).split(/(?<!\\)\|/).map((one) => comparisonOf(`^${unanchored(one)}$`));
  return found.every((one) => one !== undefined) ? found : undefined;
}

const unanchored = (pattern: string) => pattern.replace(/^\^/, "").replace(/(?<!\\)\$$/, "");

const COOKIE =
  /^\^?(?:\(\?:|\()\.\*\??;(?<space> ?\??|\\s[*?]|\s\*|\[ \][*?]|\(\?: \)\?)(?:\)\?)\(?(?<name>[^()=;\s\\]+)=(?<value>[^()]*?)\)?(?:\(;\.\*\)|\(\?:;\.\*\))\?\$?$/s;

/** `^(.*?;)?(NAME=VALUE)(;.*)?$` and its like. `spaced`: a space may stand before the name, as browsers send it. */
export function cookiePattern(pattern: string): { cookie: string; exact: string; spaced: boolean } | undefined {
  const { name, value, space } = COOKIE.exec(pattern)?.groups ?? {};
  const exact = value === undefined ? undefined : literal(value);
  return name === undefined || exact === undefined ? undefined : { cookie: name, exact, spaced: space !== "" };
}

/** The form in which mt-inside/overrides asks for a version: `(.*,|^)SERVICE:VERSION(,.*|$)`. */
export function overridesPattern(pattern: string): { service: string; version: string } | undefined {
  const [, service, version] = /^\(\.\*,\|\^\)([a-z0-9-]+):([A-Za-z0-9._-]+)\(,\.\*\|\$\)$/.exec(pattern) ?? [];
  return service === undefined || version === undefined ? undefined : { service, version };
}

/** The header whose value is a key, for the sources and presets that are meant by these texts. */
export function keyHeaders(sources: readonly string[]): Map<string, string> {
  const all = sources.flatMap((source) => {
    return (PRESETS.get(source) ?? []).map(({ kind, name }) => ({ kind, name, source })).concat(parsed(source));
  });
  return new Map(all.filter(({ kind }) => kind === "header").map(({ name, source }) => [name, source]));
}

function parsed(source: string) {
  const [, name] = /^header:(.+)$/.exec(source) ?? [];
  return name === undefined ? [] : [{ kind: "header" as const, name: name.toLowerCase(), source }];
}
