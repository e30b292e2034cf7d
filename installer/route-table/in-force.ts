// Waits until a change of a server's table has come to the proxies.
import { KeywayError } from "../../shared/errors.ts";
import type { Io } from "../../shared/io.ts";
import { pause } from "../../shared/net/limit.ts";
import { count } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import type { ProxyCounts } from "../server-client/client.ts";
import type { RouteTable } from "./table.ts";

const FIRST_PAUSE = 20; // ms, doubled at each look
const LONGEST_PAUSE = 500; // ms
const MOST_NAMED = 5;

/** Waits until all proxies that follow the table have it in force as of a revision, else as it is now; throws a KeywayError after so many seconds. */
export async function waitForProxies(
  io: Io,
  table: RouteTable,
  revision: number | undefined,
  seconds: number,
): Promise<void> {
  if (table.proxies === undefined) throw new Error(`nobody knows which proxies follow ${table.name}`);
  const steps = progress(io);
  const end = performance.now() + seconds * 1000;
  let counts = await table.proxies(revision);
  for (let wait = FIRST_PAUSE; !isInForce(counts); wait = Math.min(2 * wait, LONGEST_PAUSE)) {
    const left = end - performance.now();
    if (left <= 0) throw late(counts, table, seconds);
    const uncounted = counts.missing?.[0];
    const waitingFor = uncounted === undefined ? "" : `; ${uncounted.message}`;
    steps.update(`in force in ${counts.inForce} of ${count(counts.proxies, "proxy", "proxies")}${waitingFor}`);
    await pause(Math.min(wait, left), io.signal);
    counts = await table.proxies(counts.revision);
  }
  const at = (counts.servers ?? 1) > 1 ? ` of ${counts.servers} servers` : "";
  if (counts.proxies === 0) steps.warn(`no proxy follows ${table.name}, so nobody has it in force`);
  else steps.done(`in force in ${counts.proxies === 1 ? "the one proxy" : `all ${counts.proxies} proxies`}${at}`);
}

/** Proxies of servers that have not answered may not have it. */
const isInForce = ({ inForce, proxies, missing = [] }: ProxyCounts) => inForce >= proxies && missing.length === 0;

function late(
  { scopes, proxies, inForce, revision, missing = [] }: ProxyCounts,
  table: RouteTable,
  seconds: number,
): KeywayError {
  const named = scopes.flatMap(({ scope, behind }) => behind.map((one) => `${one} (scope ${JSON.stringify(scope)})`));
  const behind = proxies - inForce;
  const more = behind > MOST_NAMED ? ` and ${behind - MOST_NAMED} more` : "";
  const who = behind > 0 ? [`behind: ${named.slice(0, MOST_NAMED).join(", ")}${more}`] : [];
  const uncounted = missing.map(({ message }) => message);
  const next =
    behind > 0
      ? "those proxies go on with the table they have: look at their logs and keyway_table_age_seconds"
      : "see that those servers are well and reach each other";
  return new KeywayError(
    [
      `${inForce} of ${count(proxies, "proxy has", "proxies have")} it in force after ${seconds} s`,
      ...who,
      ...uncounted,
    ].join("; "),
    {
      where: table.name,
      next: `the server has the change; ${next}; GET /v1/proxies?revision=${revision} says how far it is`,
    },
  );
}
