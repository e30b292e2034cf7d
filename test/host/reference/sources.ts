// What each kind of source finds in one header's value, written for clarity: the measure for the filter's scanners.
// Texts are Latin-1 strings, one character per byte; what is found need not be a key.

const trimmed = (text: string) => text.replace(/^[ \t]+|[ \t]+$/g, "");

/** The text before and after the first `separator`; undefined without one. */
function halves(text: string, separator: string): [string, string] | undefined {
  const at = text.indexOf(separator);
  return at < 0 ? undefined : [text.slice(0, at), text.slice(at + 1)];
}

/** Undefined for a broken escape. */
export function percentDecoded(text: string): string | undefined {
  if (/%(?![0-9a-f]{2})/i.test(text)) return undefined;
  return text.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function members(list: string, wanted: string): string[] {
  const pairs = list.split(",").map((member) => halves(member, "="));
  return pairs.flatMap((pair) => (pair && trimmed(pair[0]) === wanted ? [trimmed(pair[1])] : []));
}

export function baggage(text: string, wanted: string): string[] {
  const withoutProperties = text.replace(/;[^,]*/g, "");
  return members(withoutProperties, wanted).map((value) => percentDecoded(value) ?? "");
}

export function cookie(text: string, wanted: string): string[] {
  const pairs = text.split(";").map((part) => halves(part, "="));
  const values = pairs.flatMap((pair) => (pair && trimmed(pair[0]) === wanted ? [trimmed(pair[1])] : []));
  return values.map((value) => (value.length > 1 ? value.replace(/^"(.*)"$/s, "$1") : value));
}

export function query(path: string, wanted: string): string[] {
  const parameters = halves(path, "?")?.[1].split("&") ?? [];
  const pairs = parameters.map((parameter) => halves(parameter, "=") ?? ([parameter, ""] as const));
  return pairs.flatMap(([name, value]) => (name === wanted ? [percentDecoded(value) ?? ""] : []));
}

/** `suffix` starts with its dot. */
export function host(authority: string, suffix: string): string[] {
  const name = authority.replace(/:.*$/s, "");
  if (!name.toLowerCase().endsWith(suffix.toLowerCase())) return [];
  const label = name.slice(0, name.length - suffix.length);
  return label !== "" && !label.includes(".") ? [label] : [];
}

/** `service` is the destination's full name. */
export function overrides(text: string, service: string): string[] {
  const pairs = text.split(",").map((pair) => halves(pair, ":"));
  return pairs.flatMap((pair) => {
    const name = pair && trimmed(pair[0]);
    return name && (name === service || service.startsWith(`${name}.`)) ? [trimmed(pair[1])] : [];
  });
}

export function jwt(authorization: string, claim: string): string[] {
  const payload = /^[ \t]*bearer [ \t]*[^.]*\.([^.]*)\./i.exec(authorization)?.[1];
  if (payload === undefined || !/^[-\w]*$/.test(payload)) return [];
  try {
    const value = JSON.parse(Buffer.from(payload, "base64url").toString())[claim];
    return typeof value === "string" ? [Buffer.from(value).toString("latin1")] : [];
  } catch {
    return [];
  }
}

export const scanners = {
  header: (text: string) => text.split(",").map(trimmed),
  baggage,
  tracestate: members,
  cookie,
  query,
  host,
  overrides,
  jwt,
};

/** 1 to 256 bytes of printable ASCII without space, comma and semicolon. */
export const isKey = (text: string) => /^[!-~]{1,256}$/.test(text) && !/[,;]/.test(text);
