import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** After the API server was away, a client of Kubernetes tries again after up to 30 s, and up to twice that at random: so does istiod. */
const LONGEST_PAUSE_S = 90;

/** The first answer of `probe` that is neither empty nor an error. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  seconds = LONGEST_PAUSE_S,
  everyMs = 100,
): Promise<T> {
  let last: unknown = "";
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(everyMs)) {
    try {
      const answer = await probe();
      if (answer) return answer;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`waited ${seconds} s in vain for ${what}${last ? `: ${last}` : ""}`, { cause: last });
}

export function listening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}
