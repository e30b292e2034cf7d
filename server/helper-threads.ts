// The threads on which V8 marks the heap and compiles, beside those on which the server works.
import { readdirSync, readFileSync } from "node:fs";
import { setPriority } from "node:os";

const TASKS = "/proc/self/task";
/** What Node.js calls these threads, from version 24 on. */
const NAME = "V8Worker";
/** With it a thread has a tenth of another one's share of a core for which both contend. */
const NICE = 10;

/**
 * Lets these threads give way to the others of the process. They are four, and where the server has one core, each of them would have as much
 * of it as the event loop for as long as the heap is marked, so that writes would wait. Only Linux gives threads a priority of their own;
 * elsewhere everything stays as it is.
 */
export function giveWay(): void {
  try {
    for (const id of readdirSync(TASKS)) {
      if (readFileSync(`${TASKS}/${id}/comm`, "utf8").trim() === NAME) setPriority(Number(id), NICE);
    }
  } catch {
    // The server is as it was, if somewhat slower on one core.
  }
}
