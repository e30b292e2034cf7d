import { KeywayError } from "../cli/errors.ts";

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
