import { type Logger, pino } from "pino";
import type { Sink } from "../shared/io.ts";

/** Milliseconds after a line for which others are gathered: writing each by itself would cost a busy server more than answering. */
const GATHERED = 10;

/** The server's log, a JSON object in each line. What is gathered is written by `log.flush` and `close`, and when the process exits. */
export function openLog(level: string, sink: Sink): { log: Logger; close(): void } {
  let lines = "";
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    timer = undefined;
    if (lines === "") return;
    sink.write(lines);
    lines = "";
  };
  const write = (line: string) => {
    lines += line;
    if (timer) return;
    flush();
    timer = setTimeout(flush, GATHERED);
  };
  process.once("exit", flush);
  const stream = { write, flush };
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
  const close = () => {
    process.off("exit", flush);
    clearTimeout(timer);
    flush();
  };
  return { log, close };
}
