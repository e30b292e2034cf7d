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

/** A person, or whoever runs the command, has asked it to stop. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: keyof typeof STOPPING) {
    super("interrupted");
    this.exitCode = STOPPING[signal];
  }
}

/** Signals that stop a command, with the exit codes that shells expect: 128 and the signal's number. */
const STOPPING = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export function processIo(): Io {
  const stop = new AbortController();
  // The first asks the command to stop where it leaves nothing half-done, the second ends it at once.
  for (const signal of Object.keys(STOPPING) as (keyof typeof STOPPING)[]) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(STOPPING[signal]);
      stop.abort(new Interrupted(signal));
    });
  }
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

/** A terminal that can move its cursor and show colours: not the buffer of an editor, which says TERM=dumb. */
export function isCapable(io: Io, sink: Sink): boolean {
  return sink.isTTY === true && io.env.TERM !== "dumb";
}

export function colors(io: Io, sink: Sink) {
  return pc.createColors(isCapable(io, sink) && !io.env.NO_COLOR);
}
