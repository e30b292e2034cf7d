// Why a registry's answer is not what was asked for, in words.
import { STATUS_CODES } from "node:http";
import { KeywayError, printable } from "../../shared/errors.ts";
import type { Answer } from "./transport.ts";

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
