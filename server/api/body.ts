import type { IncomingMessage } from "node:http";
import { ApiError } from "./errors.ts";
import { mistakeIn } from "./json.ts";

/** Milliseconds without a byte of a body, after which it is given up. */
const IDLE_MS = 10_000;

/** Content types that a body of JSON may come under; what clients send unless told otherwise is among them. */
const JSON_TYPES =
  /^(?:application\/(?:[\w.+-]*\+)?json|text\/plain|application\/x-www-form-urlencoded|application\/octet-stream)\s*(?:;|$)/i;

/** The JSON of a request's body, of at most `most` bytes. */
export async function readJson(incoming: IncomingMessage, most: number): Promise<unknown> {
  const type = incoming.headers["content-type"];
  if (type !== undefined && !JSON_TYPES.test(type)) {
    throw new ApiError(415, "the body has to be JSON; send it with content-type: application/json");
  }
  const encoding = incoming.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    throw new ApiError(415, "the body has to be plain JSON; send it without content-encoding");
  }
  const text = decode(await readBytes(incoming, most));
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

function notJson(message: string): ApiError {
  return new ApiError(400, message, { details: [{ path: "", message }] });
}

async function readBytes(incoming: IncomingMessage, most: number): Promise<Buffer> {
  if (Number(incoming.headers["content-length"] ?? 0) > most) throw tooLarge(most);
  const pieces: Buffer[] = [];
  let size = 0;
  // The connection stays, so that whoever is too slow or sends too much learns of it.
  const iterator: AsyncIterator<Buffer> = incoming.iterator({ destroyOnReturn: false });
  for (;;) {
    const { done, value } = await inTime(iterator.next());
    if (done) return Buffer.concat(pieces);
    size += value.length;
    if (size > most) throw tooLarge(most);
    pieces.push(value);
  }
}

function inTime<Result>(promise: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const late = () => {
      promise.catch(() => {});
      const message = `no byte of the body came within ${IDLE_MS / 1000} s`;
      reject(new ApiError(408, message, { headers: { connection: "close" } }));
    };
    const timer = setTimeout(late, IDLE_MS);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function tooLarge(most: number): ApiError {
  const message = `the body is larger than ${most} bytes (--max-body); send it in several requests`;
  return new ApiError(413, message, { headers: { connection: "close" } });
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw notJson("the body is no UTF-8");
  }
}

/** A field of this name would change what an object is, so schemas never get to see it. */
function refusePrototypes(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (Object.hasOwn(value, "__proto__")) throw notJson('unknown field "__proto__"');
  for (const inner of Object.values(value)) refusePrototypes(inner);
}
