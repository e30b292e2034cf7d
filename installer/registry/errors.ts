import { KeywayError } from "../../shared/errors.ts";

/** The registry contradicts itself, or what was sent to it. */
export function integrityError(host: string, what: string, where: string): KeywayError {
  return new KeywayError(`${host} ${what}`, {
    where,
    next: "do not use what it holds; check its storage, and any cache or proxy in front of it",
  });
}
