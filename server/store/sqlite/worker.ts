// The thread that has the database open: it writes, syncs, and looks for what other processes have written.
import { parentPort, workerData } from "node:worker_threads";
import type { DocumentWrite } from "../documents.ts";
import { Full } from "../store.ts";
import { Database } from "./database.ts";
import { errorOf, failureOf } from "./failures.ts";
import type { Answer, Part, Refused, Request, Row, WorkerSettings, Write, Written } from "./messages.ts";
import { Seen } from "./seen.ts";

const settings = workerData as WorkerSettings;
const { file } = settings;
const port = parentPort;
if (port === null) throw new Error("this file is a worker's");
const answer = (message: Answer) => port.postMessage(message);

/** Rows that go to the other thread at once. */
const PART = 2000;

/** What other processes have written, and what has become of writes of this one. */
function tell(others: readonly Row[], done?: (Written | Refused)[]): void {
  let at = 0;
  for (; others.length - at > PART; at += PART) answer({ part: JSON.stringify(others.slice(at, at + PART)) });
  answer({ others: JSON.stringify(others.slice(at)), ...(done && { done }) });
}

try {
  serve(new Database(settings), new Seen(file));
} catch (thrown) {
  answer({ failed: failureOf(thrown, file) });
  port.close();
}

function serve(database: Database, seen: Seen): void {
  const { revision, since, changes } = database.load((routes) => answer({ routes }));
  if (!seen.goesOnWith(database.history, revision)) database.renewHistory();
  const history = database.history;
  seen.write(history, revision);
  answer({ loaded: { history, revision, since, changes } });

  let version = database.dataVersion();
  let inTrouble = false;
  const poll = setInterval(() => {
    try {
      const now = database.dataVersion();
      const documents = now === version ? [] : database.otherDocuments();
      const others = now === version ? [] : database.others();
      version = now;
      if (documents.length > 0) answer({ documents });
      if (others.length > 0) tell(others);
      if (inTrouble) answer({ trouble: null });
      inTrouble = false;
    } catch (thrown) {
      if (!inTrouble) answer({ trouble: failureOf(thrown, file) });
      inTrouble = true;
    }
  }, settings.pollMs);

  const parts = new Map<number, Write["set"]>();

  const keep = ({ number, part }: Part): void => {
    const before = parts.get(number) ?? [];
    for (const one of part) before.push(one);
    parts.set(number, before);
  };

  /** The transaction with its parts that came before. */
  const whole = (write: Write): Write => {
    const before = parts.get(write.number);
    parts.delete(write.number);
    return before === undefined ? write : { ...write, set: before.concat(write.set) };
  };

  /** Where several can't be written together, each is tried alone: one that is too large for the disk must not take others with it. */
  const write = (writes: readonly Write[]): void => {
    try {
      const { others, done } = database.write(writes);
      const results = done.map((one) => ("conflict" in one ? refusal(one.number, one.conflict) : one));
      const revisions = [...others, ...done].map((one) => ("revision" in one ? one.revision : 0));
      seen.write(history, Math.max(...revisions));
      tell(others, results);
    } catch (thrown) {
      const isFull = errorOf(failureOf(thrown, file)) instanceof Full;
      if (isFull && writes.length > 1) for (const one of writes) write([one]);
      else
        tell(
          [],
          writes.map(({ number }) => refusal(number, thrown)),
        );
    }
  };

  const writeDocuments = (writes: readonly DocumentWrite[], number: number): void => {
    try {
      const { news, versions } = database.writeDocuments(writes);
      answer({ documents: news, done: { number, versions } });
    } catch (thrown) {
      answer({ documents: [], done: refusal(number, thrown) });
    }
  };

  port?.on("message", (request: Request) => {
    if (request !== "close") {
      if ("part" in request) keep(request);
      else if ("dropped" in request) parts.delete(request.dropped);
      else if ("documents" in request) writeDocuments(request.documents, request.number);
      else write(request.writes.map(whole));
      return;
    }
    clearInterval(poll);
    database.close();
    seen.close();
    answer("closed");
    port.close();
  });
}

function refusal(number: number, thrown: unknown): Refused {
  return { number, failure: failureOf(thrown, file) };
}
