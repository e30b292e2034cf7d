import { fits } from "../../server/state/filter.ts";
import { colors, type Io } from "../../shared/io.ts";
import { type Format, toYaml } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { type FilterFlags, filterOf } from "../cli/table-flags.ts";
import { cellsOf, ROUTE_COLUMNS } from "../print/routes.ts";
import { follow, type TableEvent } from "../server-client/follow.ts";
import type { ServerTable } from "./on-server.ts";

/** Prints what happens to a table until the person ends it. */
export async function watch(
  io: Io,
  table: ServerTable,
  flags: FilterFlags & { changesOnly?: boolean; output: Format },
): Promise<void> {
  const filter = filterOf(flags) ?? {};
  const steps = progress(io);
  const print = printer(io, flags.output);
  const since = flags.changesOnly ? await table.server.revision() : undefined;
  const events = follow(table.server, {
    signal: io.signal,
    since,
    broken: (why) => steps.warn(`${why}; trying again until it is there`),
    resumed: () => steps.done("the changes come again"),
  });
  try {
    for await (const event of events) {
      if (event.event === "reset")
        steps.warn("what happened meanwhile is too long ago; the routes that there are come anew");
      // Of a route that is gone for long nothing but its id is known.
      const shown = !("route" in event) || !("revision" in event.route) || fits(event.route as never, filter);
      if (shown) print(event);
    }
  } catch (thrown) {
    // To end it is what a person does with a watch: no failure.
    if (!io.signal.aborted) throw thrown;
  }
}

/** Characters of a column at least, so that most rows that come later fit below those before. */
const WIDTHS = [6, 12, 20, 24, 20, 8, 12];

function printer(io: Io, format: Format): (event: TableEvent) => void {
  if (format === "json") return (event) => io.out.write(`${JSON.stringify(event)}\n`);
  if (format === "yaml") return (event) => io.out.write(`---\n${toYaml(event)}`);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => cell.padEnd(WIDTHS[at] ?? 0))
      .join("  ")
      .trimEnd();
  io.out.write(`${colors(io, io.out).bold(line(["event", ...ROUTE_COLUMNS].map((name) => name.toUpperCase())))}\n`);
  return (event) => {
    if ("route" in event) io.out.write(`${line([event.event, ...cellsOf(event.route)])}\n`);
  };
}
