import { STATUS_CODES } from "node:http";
import { KeywayError, reason } from "../cli/errors.ts";
import type { Answer } from "./transport.ts";

/** No answer came. `passing` tells a cut connection, worth another try, from a registry that is not there. */
export class Unreachable extends KeywayError {
  override name = "Unreachable";
  readonly passing: boolean = false;
}

export class CutOff extends Unreachable {
  override name = "CutOff";
  override readonly passing = true;
}

const NOT_TRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/;

/** Explains why fetch got no answer from `host`. */
export function unreachable(thrown: unknown, host: string, where: string): Unreachable {
  const code = codeOf(thrown);
  const refuse = (what: string, next: string) => new Unreachable(what, { where, next, cause: thrown });
  if (code === "ECONNREFUSED")
    return refuse(`nothing listens at ${host}`, "check the host and the port; is the registry running?");
  if (code === "ENOTFOUND")
    return refuse(`there is no host ${host}`, "check the spelling, and the DNS server of this machine");
  if (reason(thrown).endsWith("bad port")) {
    return refuse(`no HTTP client speaks with the port of ${host}`, "let the registry listen at another port");
  }
  if (code.includes("SSL"))
    return refuse(`${host} does not speak TLS`, "if it is meant to be plain HTTP, add --insecure");
  if (NOT_TRUSTED.test(code)) {
    return refuse(
      `the certificate of ${host} is not trusted (${code})`,
      "put its authority's file into NODE_EXTRA_CA_CERTS",
    );
  }
  const what =
    thrown instanceof Error && thrown.name === "TimeoutError"
      ? `${host} does not answer`
      : `the connection to ${host} was cut: ${reason(thrown)}`;
  return new CutOff(what, {
    where,
    next: "check the registry's log and the network, then run the command again",
    cause: thrown,
  });
}

function codeOf(thrown: unknown): string {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ("code" in error && typeof error.code === "string") return error.code;
    if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  }
  return "";
}

export interface Refusal {
  host: string;
  repository: string;
  /** The user whose credentials were sent; undefined when none were. */
  user: string | undefined;
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
function explained({ status, headers }: Answer, { host, repository, user, doing }: Refusal): [string, string] {
  const name = `${status} ${STATUS_CODES[status] ?? ""}`.trim();
  switch (status) {
    case 401:
      return user === undefined
        ? [`${host} wants a login to ${doing} ${repository}`, `run \`docker login ${host}\`, or give --username`]
        : [`${host} does not accept the credentials of ${user}`, `log in again with \`docker login ${host}\``];
    case 403:
      return [
        user === undefined
          ? `${host} lets nobody ${doing} ${repository} without a login`
          : `${user} may not ${doing} ${repository}`,
        `ask the owner of ${host} for the right, or take another repository`,
      ];
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

function pauseText(retryAfter: string | null): string {
  if (retryAfter === null) return "later";
  return /^\d+$/.test(retryAfter) ? `in ${retryAfter} s` : `after ${retryAfter}`;
}

/** What the registry itself says, as one short line. */
function complaintOf({ body }: Answer): string {
  try {
    const { errors } = JSON.parse(body.toString("utf8")) as { errors?: { code?: string; message?: string }[] };
    const { code = "", message = "" } = errors?.[0] ?? {};
    return (message || code).replace(/[^\x20-\x7e]+/g, " ").slice(0, 200);
  } catch {
    return "";
  }
}

/** The registry contradicts itself, or what was sent to it. */
export function lie(host: string, what: string, where: string): KeywayError {
  return new KeywayError(`${host} ${what}`, {
    where,
    next: "do not use what it holds; check its storage, and any cache or proxy in front of it",
  });
}
