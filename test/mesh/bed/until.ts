import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** The first answer of `probe` that is neither empty nor an error. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  seconds = 60,
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
