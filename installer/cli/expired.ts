import { expiredRoutes } from "../../routes/reading/expired.ts";
import type { RouteFile } from "../../routes/reading/route-file.ts";
import { diagnosticLine } from "../../shared/input.ts";
import type { Io } from "../../shared/io.ts";
import { progress } from "./progress.ts";

/** Tells of the routes of a file that have ended, each with its line: whoever installs them waits in vain for their effect. */
export function warnOfExpired(path: string, { routes, locate }: RouteFile, io: Io): void {
  const ended = expiredRoutes(routes, Math.floor(Date.now() / 1000));
  for (const one of locate(ended)) progress(io).warn(diagnosticLine(path, one));
}
