import { defineCommand, type Register } from "../cli/command.ts";
import { connectAdministrator, withDeadline } from "../cli/connect.ts";
import { type ServerChoiceFlags, type ServerPlaceFlags, serverChangeFlags, withSaid } from "../cli/server-flags.ts";
import type { ServerChangeFlags } from "../server-install/change.ts";

interface Flags extends ServerPlaceFlags, ServerChoiceFlags, ServerChangeFlags {
  timeout: number;
}

export const serverUpgrade: Register = (group, unlimited) => {
  const command = defineCommand(group, {
    usage: "upgrade",
    description:
      "Changes the server that is there: what is said changes, and everything else stays as it was asked for. Pods are replaced one after the other, " +
      "a new one before an old one goes, and proxies serve on from the tables that they have.",
    examples: [
      ["another version", "keyway server upgrade --image registry.example/keyway:0.2.0"],
      ["more of them", "keyway server upgrade --replicas 3"],
      ["what this command brings, with nothing else changed", "keyway server upgrade --diff"],
    ],
  });
  serverChangeFlags(command).action(async (flags: Flags) => {
    const io = withDeadline(unlimited, flags.timeout);
    const { changeServer } = await import("../server-install/change.ts");
    const { choiceOf, installedDeployment, noServer } = await import("../server-install/installed.ts");
    const cluster = await connectAdministrator(flags, io);
    const there = await installedDeployment(cluster, flags.namespace);
    if (there === undefined) throw noServer(flags.namespace);
    await changeServer(io, cluster, withSaid(choiceOf(there), flags), flags);
  });
};
