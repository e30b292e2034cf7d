import { KeywayError, printable } from "../../shared/errors.ts";

/** One thing that is wrong, and the field that it is about: `set[3].to`; empty for the whole. */
export interface Detail {
  path: string;
  message: string;
}

/** The route server has refused a request. */
export class ServerRefusal extends KeywayError {
  override name = "ServerRefusal";
  readonly status: number;
  readonly details: readonly Detail[];

  constructor({ status, said, details, where, next }: Said & { where: string; next?: string }) {
    super(said, { where, ...(next !== undefined && { next }) });
    this.status = status;
    this.details = details;
  }
}

interface Said {
  status: number;
  said: string;
  details: readonly Detail[];
}

export interface Refused {
  status: number;
  body: string;
  /** Of a redirect. */
  location: string | null;
  /** Method and address. */
  where: string;
  /** Whether a token was sent. */
  authorized: boolean;
}

const NOT_KEYWAY =
  "see that --server or KEYWAY_SERVER is the address of a `keyway serve`, and look for a proxy on the way";

/** What the server said, in words that say what to do. */
export function refusal({ status, body, location, where, authorized }: Refused): KeywayError {
  if (location !== null && status >= 300 && status < 400) {
    return new KeywayError(`what answers leads to ${printable(location)}`, {
      where,
      next: "name that address with --server",
    });
  }
  const error = errorIn(body);
  if (error === undefined) {
    const text = printable(body.trim()).slice(0, 80);
    return new KeywayError(`what answers is no route server: status ${status}${text && `, ${text}`}`, {
      where,
      next: NOT_KEYWAY,
    });
  }
  const next =
    error.code === "undecided"
      ? "see what is there (`keyway route list`), and run the command again: what is there already stays as it is"
      : nextStep(status, authorized);
  return new ServerRefusal({ status, said: error.message, details: error.details, where, ...(next && { next }) });
}

/** The server answered something else than what was asked for. */
export function notUnderstood(where: string): KeywayError {
  return new KeywayError(
    "what answers is no route server of this kind: it sends something else than what was asked for",
    {
      where,
      next: NOT_KEYWAY,
    },
  );
}

function nextStep(status: number, authorized: boolean): string | undefined {
  if (status === 401) {
    return authorized
      ? "ask whoever runs the server for a token that it knows; it comes from --token-file, --token or KEYWAY_TOKEN"
      : "give a token with --token-file FILE or in KEYWAY_TOKEN; whoever runs the server has them";
  }
  if (status === 403) return "ask whoever runs the server to give the token that role, or take another token";
  if (status === 413) return "apply it in parts, or have the server take more: keyway serve --max-body, --max-routes";
  if (status === 503) return "run the same command again; the server's /readyz says how it is";
  if (status === 507) return "have whoever runs the server make room, then run the same command again";
  if (status >= 500) return "look into the server's log, then run the same command again";
  return undefined;
}

function errorIn(body: string): { code: unknown; message: string; details: Detail[] } | undefined {
  const { error } = (parsed(body) ?? {}) as { error?: { code?: unknown; message?: unknown; details?: unknown } };
  if (typeof error !== "object" || error === null || typeof error.message !== "string") return undefined;
  const details = Array.isArray(error.details) ? error.details : [];
  return { code: error.code, message: error.message, details: details.filter(isDetail) };
}

function isDetail(value: unknown): value is Detail {
  const { path, message } = (value ?? {}) as Partial<Detail>;
  return typeof path === "string" && typeof message === "string";
}

/** Undefined for what is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
