// What the configuration says of links. It stands among the sources, in the place of a name:
//   u32 seconds, u8 when the cookie is secure, u8 length of the cookie's name, that name, the other attributes as `set-cookie` has them
// The source behind it is that of the cookie.
import { sourceHeader, sourceHeaderLen, sourceName, sourceNameLen } from "../sources/source";

/** What stands before the cookie's name. */
export const OPTIONS_FIXED = 6;

// When the cookie is secure.
export const NEVER: u32 = 0;
export const ALWAYS: u32 = 1;
/** Where the request came over https. */
export const AUTO: u32 = 2;

export function secondsOf(link: usize): u32 {
  return load<u32>(sourceName(link));
}

export function secureOf(link: usize): u32 {
  return load<u8>(sourceName(link), 4);
}

export function cookieOf(link: usize): usize {
  return sourceName(link) + OPTIONS_FIXED;
}

export function cookieLenOf(link: usize): i32 {
  return load<u8>(sourceName(link), 5);
}

export function attributesOf(link: usize): usize {
  return cookieOf(link) + cookieLenOf(link);
}

export function attributesLenOf(link: usize): i32 {
  return sourceNameLen(link) - OPTIONS_FIXED - cookieLenOf(link);
}

export function parameterOf(link: usize): usize {
  return sourceHeader(link);
}

export function parameterLenOf(link: usize): i32 {
  return sourceHeaderLen(link);
}
