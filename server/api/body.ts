import type { IncomingMessage } from "node:http";
import { ApiError } from "./errors.ts";
import { mistakeIn } from "./json.ts";

export interface Patience {
  /** Milliseconds without a byte of a body, after which it is given up. */
  idleMs: number;
  /** Milliseconds that are waited for a body in all. */
  allMs: number;
}

const PATIENCE: Patience = { idleMs: 10_000, allMs: 120_000 };

/** Content types that a body of JSON may come under; what clients send unless told otherwise is among them. */
const JSON_TYPES =
  /^(?:application\/(?:[\w.+-]*\+)?json|text\/plain|application\/x-www-form-urlencoded|application\/octet-stream)\s*(?:;|$)/i;

/** Bytes of a body that is read as a whole. */
const MOST_AT_ONCE = 1024 * 1024;
const AT_ONCE_ADVICE = "(--max-body, and 1 MiB at most for what is no transaction)";

export interface Limit {
  bytes: number;
  /** What a refusal says after the number of bytes. */
  advice: string;
}

/** Bytes that are decoded at once. */
const PIECE = 16 * 1024;

/** The JSON of a request's body, of at most `most` bytes, and a mebibyte at most. */
export async function readJson(incoming: IncomingMessage, most: number): Promise<unknown> {
  let text = "";
  for await (const piece of readText(incoming, { bytes: Math.min(most, MOST_AT_ONCE), advice: AT_ONCE_ADVICE }))
    text += piece;
  try {
    const value: unknown = JSON.parse(text);
    if (text.includes('"__proto__"')) refusePrototypes(value);
    return value;
  } catch (thrown) {
    if (thrown instanceof ApiError) throw thrown;
    const place = mistakeIn(text);
    if (text.trim() === "") throw notJson("the body is empty; a JSON object is needed");
    throw notJson(
      place ? `not JSON: line ${place.line}, column ${place.column}: expected ${place.expected}` : "not JSON",
    );
  }
}

/** The text of a request's body as it comes in, in small pieces. */
export async function* readText(
  incoming: IncomingMessage,
  limit: Limit,
  patience = PATIENCE,
): AsyncGenerator<string, void> {
  refuseTypes(incoming);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (bytes: Uint8Array | undefined, stream: boolean) => {
    try {
      return decoder.decode(bytes, { stream });
    } catch {
      throw notJson("the body is no UTF-8");
    }
  };
  for await (const bytes of readBytes(incoming, limit, patience)) {
    for (let at = 0; at < bytes.length; at += PIECE) yield decode(bytes.subarray(at, at + PIECE), true);
  }
  yield decode(undefined, false);
}

function refuseTypes({ headers }: IncomingMessage): void {
  const type = headers["content-type"];
  if (type !== undefined && !JSON_TYPES.test(type)) {
    throw new ApiError(415, "the body has to be JSON; send it with content-type: application/json");
  }
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    throw new ApiError(415, "the body has to be plain JSON; send it without content-encoding");
  }
}

export function notJson(message: string): ApiError {
  return new ApiError(400, message, { details: [{ path: "", message }] });
}

async function* readBytes(
  incoming: IncomingMessage,
  limit: Limit,
  { idleMs, allMs }: Patience,
): AsyncGenerator<Buffer, void> {
  if (Number(incoming.headers["content-length"] ?? 0) > limit.bytes) throw tooLarge(limit);
  let size = 0;
  let waited = 0;
  // The connection stays, so that whoever is too slow or sends too much learns of it.
  const iterator: AsyncIterator<Buffer> = incoming.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const start = performance.now();
      const { done, value } = await inTime(iterator.next(), Math.min(idleMs, allMs - waited), idleMs);
      if (done) return;
      waited += performance.now() - start;
      size += value.length;
      if (size > limit.bytes) throw tooLarge(limit);
      yield value;
    }
  } finally {
    // What is refused before it has come as a whole comes to nobody.
    const stop = () => void incoming.resume();
    iterator.return?.().then(stop, stop);
  }
}

function inTime<Result>(promise: Promise<Result>, ms: number, idleMs: number): Promise<Result> {
  return new Promise((resolve, reject) => {
    const late = () => {
      promise.catch(() => {});
      const message =
        ms < idleMs ? "the body did not come in time" : `no byte of the body came within ${idleMs / 1000} s`;
      reject(new ApiError(408, message, { headers: { connection: "close" } }));
    };
    const timer = setTimeout(late, ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function tooLarge({ bytes, advice }: Limit): ApiError {
  return new ApiError(413, `the body is larger than ${bytes} bytes ${advice}`);
}

/** A field of this name would change what an object is, so schemas never get to see it. */
export function refusePrototypes(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (Object.hasOwn(value, "__proto__")) throw notJson('unknown field "__proto__"');
  for (const inner of Object.values(value)) refusePrototypes(inner);
}
