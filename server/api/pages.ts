import { isLoopback } from "../address.ts";

/** Whether a page of elsewhere sends a request, by its `origin`: in a browser of this machine it reaches the server, too, and its visitor would
 * not know. */
export function isForeignPage(origin: string | undefined): boolean {
  if (origin === undefined) return false;
  return !URL.canParse(origin) || !isLoopback(new URL(origin).hostname.replace(/^\[|\]$/g, ""));
}
