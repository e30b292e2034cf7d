// Why no answer came from a server, in words.
import { type Explanation, KeywayError, reason } from "../errors.ts";

/** No answer came. `passing` tells a cut connection, worth another try, from a server that is not there. */
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

/** Whether the network failed, on which undici puts a code or a cause; anything else that is thrown is a mistake of ours. */
export function isNetworkFailure(thrown: unknown): boolean {
  return codesOf(thrown).length > 0 || (thrown instanceof Error && thrown.cause !== undefined);
}

/** Who was asked, and by way of whom. */
export interface Asked {
  host: string;
  /** What it was asked. */
  where: string;
  proxy?: URL | undefined;
  /** What it is: `registry`. */
  kind: string;
  /** What to do where nothing listens; unless said, to see whether it runs. */
  notThere?: string;
  /** What to do where it may be meant to speak without TLS. */
  withoutTls: string;
}

/** Explains why no answer came. */
export function unreachable(thrown: unknown, { host, where, proxy, kind, notThere, withoutTls }: Asked): Unreachable {
  const codes = codesOf(thrown);
  const has = (pattern: RegExp) => codes.some((code) => pattern.test(code));
  const refuse = (what: string, next: string) => new Unreachable(what, { where, next, cause: thrown });
  const status = PROXY_REFUSES.exec(reason(thrown))?.slice(1).find(Boolean);
  if (proxy && (status !== undefined || has(/^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_PRX_)/))) {
    const next = `check HTTPS_PROXY and HTTP_PROXY, or set NO_PROXY=${new URL(`http://${host}`).hostname} to go past it`;
    const failure = status === undefined ? "can't be reached" : `refuses to connect to ${host} (${status})`;
    return refuse(`the proxy ${proxy.host} ${failure}`, next);
  }
  if (has(/^ECONNREFUSED$/))
    return refuse(`nothing listens at ${host}`, notThere ?? `check the host and the port; is the ${kind} running?`);
  if (has(/^ENOTFOUND$/)) {
    return refuse(
      `there is no host ${host}`,
      "check the spelling, and the DNS server of this machine; behind a proxy, set HTTPS_PROXY",
    );
  }
  if (reason(thrown).endsWith("bad port")) {
    return refuse(`no HTTP client speaks with the port of ${host}`, `let the ${kind} listen at another port`);
  }
  if (has(/SSL/)) return refuse(`${host} does not speak TLS`, withoutTls);
  const untrusted = codes.find((code) => NOT_TRUSTED.test(code));
  if (untrusted !== undefined) {
    return refuse(
      `the certificate of ${host} is not trusted (${untrusted})`,
      "put its authority's file into NODE_EXTRA_CA_CERTS",
    );
  }
  if (has(/^EAI_AGAIN$/)) {
    return new CutOff(`no DNS server tells the address of ${host}`, {
      where,
      next: "check the network and the DNS server of this machine; behind a proxy, set HTTPS_PROXY",
      cause: thrown,
    });
  }
  const what = has(SILENT) ? `${host} does not answer` : `the connection to ${host} was cut: ${reason(thrown)}`;
  return new CutOff(what, {
    where,
    next: `check the ${kind}'s log and the network, then run the command again`,
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
