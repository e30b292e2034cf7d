// Program: takes a run away as soon as the process that started it closes this one's stdin, by asking for it or by dying.
import { removeRun, runAt } from "./run.ts";

const run = runAt(`${process.argv[2]}`);
process.on("SIGINT", () => {}).on("SIGTERM", () => {});
process.stdin.on("end", () => void removeRun(run)).resume();
