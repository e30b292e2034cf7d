import { colors, type Io, isCapable } from "../../shared/io.ts";

/** Tells a person on stderr what goes on. On a terminal the line of a running step is rewritten in place; elsewhere only
 * finished steps are printed, so that logs stay short. */
export interface Progress {
  /** The step that runs now, and how far it is. */
  update(text: string): void;
  /** A step that is finished. */
  done(text: string): void;
  /** Something to look at that does not stop the command. */
  warn(text: string): void;
  /** What to do after this. */
  next(text: string): void;
}

export function progress(io: Io): Progress {
  const color = colors(io, io.err);
  let running = false;
  const line = (text: string) => {
    io.err.write(`${running ? "\r\x1b[K" : ""}${text}\n`);
    running = false;
  };
  return {
    update(text) {
      if (!isCapable(io, io.err)) return;
      io.err.write(`\r\x1b[K${color.dim(`  ${text}`)}`);
      running = true;
    },
    done: (text) => line(`${color.green("√")} ${text}`),
    warn: (text) => line(`${color.yellow("‼")} ${text}`),
    next: (text) => line(`${color.bold("next:")} ${text}`),
  };
}
