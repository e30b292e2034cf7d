import { KeywayError, printable, reason } from "../errors.ts";

/** The API server's own form of a refusal. */
interface Status {
  message?: string;
  reason?: string;
  details?: { causes?: { reason?: string; message?: string; field?: string }[] };
}

export interface Refusal {
  /** The HTTP status. */
  code: number;
  body: string;
  /** The URL of the API server. */
  server: string;
  /** Verb and thing: `get WasmPlugin demo/keyway`. */
  doing: string;
  /** What to do when rights are missing. */
  rightsHint: string;
}

/** The API server has refused a request. */
export class ApiError extends KeywayError {
  readonly code: number;
  /** What the API server itself says. */
  readonly said: string;
  readonly #status: Status;

  constructor({ code, body, server, doing, rightsHint }: Refusal) {
    const status = parseStatus(body);
    const said = status.message ?? (printable(body.trim()) || `HTTP status ${code}`);
    const { what, next } = explain(code, said, status, doing, rightsHint);
    super(what, { where: server, ...(next !== undefined && { next }) });
    this.code = code;
    this.said = said;
    this.#status = status;
  }

  /** Others own fields that the request would have set. */
  get isFieldConflict(): boolean {
    return this.code === 409 && causesOf(this.#status).some((one) => one.reason === "FieldManagerConflict");
  }

  /** The object is not any more what the request took it for. */
  get isStale(): boolean {
    return this.code === 409 && !this.isFieldConflict && /the object has been modified|precondition/i.test(this.said);
  }

  get isQuotaExceeded(): boolean {
    return this.code === 403 && QUOTA.test(this.said);
  }

  get isNamespaceTerminating(): boolean {
    return isTerminating(this.#status);
  }

  /** The object is refused as it is: by its schema, for its size or by the cluster's admission control. */
  get isUnfit(): boolean {
    return [400, 413, 422].includes(this.code) || (this.code === 403 && ADMISSION.test(this.said));
  }
}

function parseStatus(body: string): Status {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null ? (parsed as Status) : {};
  } catch {
    return {};
  }
}

function causesOf({ details }: Status) {
  return details?.causes ?? [];
}

function isTerminating(status: Status): boolean {
  return causesOf(status).some((one) => one.reason === "NamespaceTerminating");
}

/** How Kubernetes' authorizers say that a right is missing; 403 has many other reasons. */
const MISSING_RIGHT = /\bcannot [a-z]+ (?:resource|path) "/;
const QUOTA = /exceeded quota/i;
const ADMISSION = /admission webhook|ValidatingAdmissionPolicy|denied the request/i;

function explain(
  code: number,
  said: string,
  status: Status,
  doing: string,
  rightsHint: string,
): { what: string; next?: string } {
  if (code === 401) {
    return {
      what: "the API server does not accept the credentials",
      next: "log in again, or name another kubeconfig or context",
    };
  }
  if (code === 403 && MISSING_RIGHT.test(said)) return { what: `no permission to ${doing}: ${said}`, next: rightsHint };
  if (QUOTA.test(said)) {
    return {
      what: `can't ${doing}: ${said}`,
      next: "raise the ResourceQuota that it names, or delete what nobody needs",
    };
  }
  if (isTerminating(status)) {
    return {
      what: `can't ${doing}: ${said}`,
      next: "wait until the namespace is gone and make it anew, or choose another",
    };
  }
  if (ADMISSION.test(said)) {
    return {
      what: `the cluster's admission control refuses to ${doing}: ${said}`,
      next: "do what it asks for, or ask whoever set up the policy or webhook that it names",
    };
  }
  if (code === 413 || /request entity too large|request is too large/i.test(said)) {
    return {
      what: `can't ${doing}: it is larger than the API server takes: ${said}`,
      next: "make it smaller: an object may have about 1.5 MB",
    };
  }
  if (code === 429) {
    return { what: `the API server has too much to do to ${doing}: ${said}`, next: "run the same command again later" };
  }
  if (code >= 500) {
    return {
      what: `the API server can't ${doing}: ${said}`,
      next: "run the same command again when the API server, and what it asks in turn, are well",
    };
  }
  return { what: `can't ${doing}: ${said}` };
}

/** The HTTP status of a refusal, undefined when the API server was never heard. */
export function statusOf(thrown: unknown): number | undefined {
  return thrown instanceof ApiError ? thrown.code : undefined;
}

export function isNotFound(thrown: unknown): boolean {
  return statusOf(thrown) === 404;
}

/** Whether the connection broke, or never was, so that nothing was refused. */
export function isCut(thrown: unknown): boolean {
  const { code } = (thrown ?? {}) as NodeJS.ErrnoException;
  return ["ECONNRESET", "EPIPE", "ECONNABORTED", "ETIMEDOUT"].includes(`${code}`);
}

/** Whether there was no connection to send the request over. */
export function wasNeverSent(thrown: unknown): boolean {
  const { cause } = (thrown ?? {}) as { cause?: NodeJS.ErrnoException };
  return ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"].includes(`${cause?.code}`);
}

const NOT_TRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/;

/** The connection failed before there was an answer. */
export function unreachable(thrown: unknown, server: string): KeywayError {
  if ((thrown as NodeJS.ErrnoException).code === "ERR_INVALID_CHAR") {
    return new KeywayError("the credentials can't be sent: a line break or the like is in the token or in a name", {
      where: server,
      next: "mend them in the kubeconfig or in the token's file, or log in again",
      cause: thrown,
    });
  }
  const { code = "" } = thrown as NodeJS.ErrnoException;
  if (NOT_TRUSTED.test(code)) {
    return new KeywayError(`the certificate of the API server is not trusted: ${reason(thrown).split(";", 1)[0]}`, {
      where: server,
      next: "see that certificate-authority-data or certificate-authority of the kubeconfig's cluster is this server's, and its name the server's own",
      cause: thrown,
    });
  }
  if (code.startsWith("ERR_OSSL_")) {
    return new KeywayError(`a certificate or key of the kubeconfig is none: ${reason(thrown)}`, {
      where: server,
      next: "log in again, or mend client-certificate and client-key, or their -data, of the kubeconfig's user",
      cause: thrown,
    });
  }
  return new KeywayError(`the API server can't be reached: ${reason(thrown)}`, {
    where: server,
    next: "see that the cluster is up and that `kubectl get namespaces` works with the same kubeconfig and context",
    cause: thrown,
  });
}

/** Whether the API server refused what the person may not do. */
export function isForbidden(thrown: unknown): boolean {
  return statusOf(thrown) === 403;
}
