import { MAX_KEY } from "./names.ts";

const KEY = new RegExp(`^[\\x21-\\x2b\\x2d-\\x3a\\x3c-\\x7e]{1,${MAX_KEY}}$`);

/** 1 to MAX_KEY bytes of printable ASCII without space, comma and semicolon. */
export function isKey(text: string): boolean {
  return KEY.test(text);
}
