import type { LiveTable } from "../../routes/model/model.ts";
import { UsageError } from "../../shared/errors.ts";
import { readToken } from "../../shared/input.ts";
import type { Io } from "../../shared/io.ts";
import type { Listed } from "../../shared/services/services.ts";
import type { InstallationFlags } from "../cli/flags.ts";
import { progress } from "../cli/progress.ts";
import type { Installation } from "../manifests/installation.ts";
import { findServer } from "../services/route-server.ts";
import { tableScope } from "../services/scope.ts";

export interface Surroundings {
  cluster: Listed;
  domain: string;
  /** The live table of the installation that is there already. */
  installed: LiveTable | undefined;
}

/** Where the proxies get their live table: from the server that is named, else from the one that they have; its scope is made anew. */
export async function liveTable(
  { server, serverTokenFile }: Pick<InstallationFlags, "server" | "serverTokenFile">,
  installation: Pick<Installation, "mode" | "namespace" | "scope">,
  { cluster, domain, installed }: Surroundings,
  io: Io,
): Promise<LiveTable | undefined> {
  const { namespace } = installation;
  const place = typeof server === "string" ? await findServer(server, { cluster, namespace, domain }) : installed;
  if (server === false || place === undefined) {
    if (serverTokenFile === undefined) return undefined;
    throw new UsageError("a token, but for which route server? --server is missing");
  }
  const { text: scope, leftOut } = await tableScope(installation, cluster);
  if (leftOut.length > 0) {
    progress(io).warn(
      `routes of ${leftOut.join(", ")} are not for these proxies: others of the selected pods listen on the same port for another service`,
    );
  }
  // A token is for the server that it was given for.
  const known = place.cluster === installed?.cluster ? installed.token : undefined;
  const token = serverTokenFile === undefined ? known : await readToken(serverTokenFile, io);
  return { ...place, scope, ...(token !== undefined && { token }) };
}
