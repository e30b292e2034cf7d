import type { IncomingMessage, ServerResponse } from "node:http";
import { Refusal } from "./status.ts";

/** What the server does in place of an answer. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => void;

interface Fault {
  matches: (method: string, url: string) => boolean;
  left: number;
  misbehave: Misbehaviour;
}

/** Faults that the server commits, each on the next `times` requests that it is meant for. */
export class Faults {
  readonly #faults: Fault[] = [];

  /** `request` is matched against `METHOD URL`: `/^PATCH .*wasmplugins/`. */
  add(request: RegExp, misbehave: Misbehaviour, times = 1): void {
    this.#faults.push({ matches: (method, url) => request.test(`${method} ${url}`), left: times, misbehave });
  }

  clear(): void {
    this.#faults.length = 0;
  }

  /** True when a fault has dealt with the request. */
  commit(request: IncomingMessage, response: ServerResponse): boolean {
    const fault = this.#faults.find(({ left, matches }) => left > 0 && matches(`${request.method}`, `${request.url}`));
    if (fault === undefined) return false;
    fault.left--;
    fault.misbehave(request, response);
    return true;
  }
}

function refuse(refusal: Refusal, headers: Record<string, string> = {}): Misbehaviour {
  return (_, response) => {
    response.writeHead(refusal.code, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(refusal.body()));
  };
}

export function tooManyRequests(retryAfter: number): Misbehaviour {
  const refusal = new Refusal(429, "TooManyRequests", "the server has received too many requests, try again later");
  return refuse(refusal, { "retry-after": String(retryAfter) });
}

export const unavailable = refuse(
  new Refusal(503, "ServiceUnavailable", "the server is currently unable to handle it"),
);
export const tooLarge = refuse(new Refusal(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"));
export const expired = refuse(new Refusal(410, "Expired", "too old resource version: 1 (1000)"));
export const noSuchPath = refuse(new Refusal(404, "NotFound", "the server could not find the requested resource"));
export const broken = refuse(new Refusal(500, "InternalError", "Internal error occurred"));
export const unauthorized = refuse(new Refusal(401, "Unauthorized", "Unauthorized"));

/** The rights are missing, in the words of Kubernetes' own authorizer. */
export function noRights(message: string): Misbehaviour {
  return refuse(new Refusal(403, "Forbidden", message));
}

export function namespaceTerminating(plural: string, name: string, namespace: string): Misbehaviour {
  const message = `${plural} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`;
  const causes = [
    {
      reason: "NamespaceTerminating",
      message: `namespace ${namespace} is being terminated`,
      field: "metadata.namespace",
    },
  ];
  return refuse(new Refusal(403, "Forbidden", message, { name, kind: plural, causes }));
}

/** A ValidatingAdmissionPolicy answers 422 or 403, a webhook 403. */
export function admissionRefusal(message: string, code: 403 | 422 = 422): Misbehaviour {
  return refuse(new Refusal(code, code === 403 ? "Forbidden" : "Invalid", message));
}

export const cutConnection: Misbehaviour = (request) => {
  request.socket.destroy();
};

/** The server carries the request out, and the connection breaks before it can say so. */
export const cutAnswer = (carryOut: () => void): Misbehaviour => {
  return (request) => {
    carryOut();
    request.socket.destroy();
  };
};

export const neverAnswer: Misbehaviour = () => {};

/** Sends the head of an answer and half of a body, then nothing. */
export const stallHalfway: Misbehaviour = (_, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
  response.write('{"kind":');
};
