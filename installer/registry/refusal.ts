import { STATUS_CODES } from "node:http";
import { type Explanation, KeywayError, reason } from "../cli/errors.ts";
import type { Answer } from "./transport.ts";

/** No answer came. `passing` tells a cut connection, worth another try, from a registry that is not there. */
export class Unreachable extends KeywayError {
  override name = "Unreachable";
  readonly passing: boolean = false;
  /** How long to wait, as the header of that name says it. */
  readonly retryAfter: string | null = null;
}

export class CutOff extends Unreachable {
  override name = "CutOff";
  override readonly passing = true;
  override readonly retryAfter: string | null;

  constructor(what: string, explanation: Explanation, retryAfter: string | null = null) {
    super(what, explanation);
    this.retryAfter = retryAfter;
  }
}

const NOT_TRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/;
const SILENT = /^UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT$/;
const PROXY_REFUSES = /Proxy response \((\d+)\)|Proxy Authentication Required \((407)\)/;

/** Explains why no answer came from `host`, by way of `proxy` if there is one. */
export function unreachable(thrown: unknown, host: string, where: string, proxy?: URL): Unreachable {
  const codes = codesOf(thrown);
  const has = (pattern: RegExp) => codes.some((code) => pattern.test(code));
  const refuse = (what: string, next: string) => new Unreachable(what, { where, next, cause: thrown });
  const status = PROXY_REFUSES.exec(reason(thrown))?.slice(1).find(Boolean);
  if (proxy && (status !== undefined || has(/^(?:ECONNREFUSED|ENOTFOUND|UND_ERR_PRX_)/))) {
    const next = `check HTTPS_PROXY and HTTP_PROXY, or set NO_PROXY=${new URL(`http://${host}`).hostname} to go past it`;
    const failure = status === undefined ? "can't be reached" : `refuses to connect to ${host} (${status})`;
    return refuse(`the proxy ${proxy.host} ${failure}`, next);
  }
  if (has(/^ECONNREFUSED$/))
    return refuse(`nothing listens at ${host}`, "check the host and the port; is the registry running?");
  if (has(/^ENOTFOUND$/)) {
    return refuse(
      `there is no host ${host}`,
      "check the spelling, and the DNS server of this machine; behind a proxy, set HTTPS_PROXY",
    );
  }
  if (reason(thrown).endsWith("bad port")) {
    return refuse(`no HTTP client speaks with the port of ${host}`, "let the registry listen at another port");
  }
  if (has(/SSL/)) return refuse(`${host} does not speak TLS`, "if it is meant to be plain HTTP, add --insecure");
  const untrusted = codes.find((code) => NOT_TRUSTED.test(code));
  if (untrusted !== undefined) {
    return refuse(
      `the certificate of ${host} is not trusted (${untrusted})`,
      "put its authority's file into NODE_EXTRA_CA_CERTS",
    );
  }
  const what = has(SILENT) ? `${host} does not answer` : `the connection to ${host} was cut: ${reason(thrown)}`;
  return new CutOff(what, {
    where,
    next: "check the registry's log and the network, then run the command again",
    cause: thrown,
  });
}

/** The error codes of what was thrown and of all its causes, the outermost first. */
function codesOf(thrown: unknown): string[] {
  if (!(thrown instanceof Error)) return [];
  const code = "code" in thrown && typeof thrown.code === "string" ? [thrown.code] : [];
  const inner = thrown instanceof AggregateError ? thrown.errors : [thrown.cause];
  return [...code, ...inner.flatMap(codesOf)];
}

export interface Refusal {
  host: string;
  repository: string;
  /** Whose credentials there are; undefined for none. */
  user: string | undefined;
  /** How credentials that are there, but for another host, could be sent to this one. */
  withheld: string | undefined;
  /** `push to` or `pull from`. */
  doing: string;
}

/** Explains an answer that is not what was asked for. */
export function refused(answer: Answer, refusal: Refusal): KeywayError {
  const [what, next] = explained(answer, refusal);
  const said = complaintOf(answer);
  return new KeywayError(said ? `${what}: ${said}` : what, { where: answer.where, next });
}

/** What happened, and what to do next. */
function explained(answer: Answer, refusal: Refusal): [string, string] {
  const { status, headers, own, url } = answer;
  const { repository, doing } = refusal;
  if (!own && (status === 401 || status === 403)) {
    return [
      `${url.host}, to which ${refusal.host} leads, answers ${status}; a login belongs to ${refusal.host} alone and was not sent there`,
      `ask the owner of ${refusal.host}: its storage must let in whom it sends there`,
    ];
  }
  const host = own ? refusal.host : `${url.host}, to which ${refusal.host} leads,`;
  const name = `${status} ${STATUS_CODES[status] ?? ""}`.trim();
  switch (status) {
    case 401:
    case 403:
      return unauthorized(answer, refusal);
    case 404:
      return [
        `${host} has no ${repository} to ${doing}`,
        "check the name; some registries want a repository made first",
      ];
    case 413:
      return [
        `${host} refuses the upload as too large`,
        "raise the limit of the registry, or of the proxy in front of it",
      ];
    case 429:
      return [`${host} is asked too often`, `run the command again ${pauseText(headers.get("retry-after"))}`];
  }
  if (status >= 500) return [`${host} fails with ${name}`, "look into the registry's log, then run the command again"];
  return [
    `${host} refuses to let us ${doing} ${repository} (${name})`,
    "check that it is an OCI registry, and what stands in front of it",
  ];
}

function unauthorized({ status, authorized }: Answer, refusal: Refusal): [string, string] {
  const { host, repository, user, withheld, doing } = refusal;
  const ask = `ask the owner of ${host} for the right, or take another repository`;
  if (authorized) {
    // Without a user, what was sent is a token that the token service gives to anybody.
    if (status === 401 && user !== undefined) {
      return [`${host} does not accept the credentials of ${user}`, `log in again with \`docker login ${host}\``];
    }
    if (user !== undefined) return [`${user} may not ${doing} ${repository}`, ask];
  }
  if (user !== undefined) {
    return [
      `${host} answers ${status} without asking for a login that the credentials of ${user} are for, so they were not sent`,
      user === "the token"
        ? "if it takes a name and a password, set KEYWAY_REGISTRY_USERNAME and KEYWAY_REGISTRY_PASSWORD instead"
        : ask,
    ];
  }
  const login = withheld ?? `run \`docker login ${host}\`, or give --username`;
  return status === 401
    ? [`${host} wants a login to ${doing} ${repository}`, login]
    : [`${host} lets nobody ${doing} ${repository} without a login`, withheld ?? ask];
}

function pauseText(retryAfter: string | null): string {
  if (retryAfter === null) return "later";
  return /^\d+$/.test(retryAfter) ? `in ${retryAfter} s` : `after ${retryAfter}`;
}

/** What the registry itself says, as one short line. */
function complaintOf({ body }: Answer): string {
  try {
    const { errors } = JSON.parse(body.toString("utf8")) as { errors?: { code?: string; message?: string }[] };
    const { code = "", message = "" } = errors?.[0] ?? {};
    return printable(message || code);
  } catch {
    return "";
  }
}

/** A foreign text as one short line that can't steer a terminal. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, " ").slice(0, 200);
}

/** The registry contradicts itself, or what was sent to it. */
export function integrityError(host: string, what: string, where: string): KeywayError {
  return new KeywayError(`${host} ${what}`, {
    where,
    next: "do not use what it holds; check its storage, and any cache or proxy in front of it",
  });
}
