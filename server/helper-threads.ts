// The threads on which V8 marks the heap and compiles, beside those on which the server works.
import { readdirSync, readFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

const TASKS = "/proc/self/task";
/** What Node.js calls these threads, from version 24 on. */
const NAME = "V8Worker";
/** By so much lower a priority has a thread a tenth of another one's share of a core for which both contend. */
const LOWER = 10;
/** The lowest. */
const LOWEST = 19;

/**
 * Lets these threads give way to the others of the process. They are four, and where the server has one core, each of them would have as much
 * of it as the event loop for as long as the heap is marked, so that writes would wait. Only Linux gives threads a priority of their own;
 * elsewhere everything stays as it is.
 */
export function giveWay(): void {
  try {
    const nice = Math.min(LOWEST, getPriority() + LOWER);
    for (const id of readdirSync(TASKS)) {
      if (readFileSync(`${TASKS}/${id}/comm`, "utf8").trim() === NAME) setPriority(Number(id), nice);
    }
  } catch {
    // The server is as it was, if somewhat slower on one core.
  }
}
