import pc from "picocolors";

export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** All that a command may touch of the process around it, so that tests can stand in its place. */
export interface Io {
  /** Data, for programs and pipes. */
  readonly out: Sink;
  /** Progress, next steps, errors. */
  readonly err: Sink;
  readonly in: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the person presses Ctrl-C: pass it to everything that waits. */
  readonly signal: AbortSignal;
}

export function processIo(): Io {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort(new Error("interrupted")));
  outliveReaders();
  return { out: process.stdout, err: process.stderr, in: process.stdin, env: process.env, signal: stop.signal };
}

/** Whoever stops reading does not stop the work; output that can't be stored, on a full disk for one, is a failure. */
function outliveReaders(): void {
  const lost = (name: string) => (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") return;
    process.once("exit", (code) => {
      if (code === 0) process.exitCode = 1;
    });
    const what = error.code === "ENOSPC" ? "no space is left on its device" : error.message;
    if (name === "output") process.stderr.write(`keyway: can't write to standard output: ${what}\n`);
  };
  process.stdout.on("error", lost("output"));
  process.stderr.on("error", lost("error"));
}

export function colors(io: Io, sink: Sink) {
  return pc.createColors(sink.isTTY === true && !io.env.NO_COLOR);
}
