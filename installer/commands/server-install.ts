import { UsageError } from "../../shared/errors.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { connectAdministrator, withDeadline } from "../cli/connect.ts";
import {
  newServer,
  type ServerChoiceFlags,
  type ServerPlaceFlags,
  serverChangeFlags,
  withSaid,
} from "../cli/server-flags.ts";
import type { ServerChangeFlags } from "../server-install/change.ts";

interface Flags extends ServerPlaceFlags, ServerChoiceFlags, ServerChangeFlags {
  timeout: number;
}

export const serverInstall: Register = (group, unlimited) => {
  const command = defineCommand(group, {
    usage: "install",
    description:
      "Applies the custom resources Route and Sandbox, the server's account and rights, a Service, a NetworkPolicy, a PodDisruptionBudget " +
      "and a Deployment, by server-side apply, and waits until all its pods answer. The namespace is made where it is not there. Where the API " +
      "server refuses one of them nothing stays. Run again, it changes what differs and nothing else.",
    examples: [
      ["the usual case", "keyway server install --image registry.example/keyway:0.1.0"],
      ["only look", "keyway server install --image registry.example/keyway:0.1.0 --diff"],
      [
        "with Signadot's clients served, too",
        "keyway server install --image registry.example/keyway:0.1.0 --set signadotGrpc=0.0.0.0:7777",
      ],
      ["through Git", "keyway render server --image registry.example/keyway:0.1.0 > keyway-server.yaml"],
    ],
  });
  serverChangeFlags(command).action(async (flags: Flags) => {
    if (flags.image === undefined) {
      throw new UsageError("which image? Give --image", {
        next: "build it with the Dockerfile: docker build -t REGISTRY/keyway:VERSION . && docker push REGISTRY/keyway:VERSION",
      });
    }
    const io = withDeadline(unlimited, flags.timeout);
    const { changeServer } = await import("../server-install/change.ts");
    const cluster = await connectAdministrator(flags, io);
    await changeServer(io, cluster, withSaid(newServer(flags.namespace, flags.image), flags), flags);
  });
};
