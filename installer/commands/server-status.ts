import { KeywayError } from "../../shared/errors.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { connectAdministrator, withDeadline } from "../cli/connect.ts";
import { timeoutFlag } from "../cli/flags.ts";
import { emit, type Format, outputOption, table } from "../cli/output.ts";
import { type ServerPlaceFlags, serverPlaceFlags } from "../cli/server-flags.ts";
import { SERVER_NAME } from "../manifests/server/server.ts";

interface Flags extends ServerPlaceFlags {
  timeout: number;
  output: Format;
}

export const serverStatus: Register = (group, unlimited) => {
  const command = defineCommand(group, {
    usage: "status",
    description:
      "Says which image runs, how many of its pods answer, and what keeps the others. Exit code 1 when not all of them answer.",
    examples: [
      ["the server in keyway-system", "keyway server status"],
      ["for a program", "keyway server status -o json"],
    ],
  });
  timeoutFlag(serverPlaceFlags(command), 30)
    .addOption(outputOption())
    .action(async (flags: Flags) => {
      const io = withDeadline(unlimited, flags.timeout);
      const { imageOf, installedDeployment, noServer } = await import("../server-install/installed.ts");
      const { podReasons, replicasOf } = await import("../server-install/wait.ts");
      const { namespace } = flags;
      const cluster = await connectAdministrator(flags, io);
      const there = await installedDeployment(cluster, namespace);
      if (there === undefined) throw noServer(namespace);
      const { wanted, ready } = replicasOf(there);
      const image = imageOf(there);
      const problems = ready < wanted ? await podReasons(cluster, namespace) : [];
      const found = { namespace, image, replicas: { wanted, ready }, problems };
      emit(io, flags.output, found, () =>
        table(io, ["namespace", "image", "ready"], [[namespace, image, `${ready} of ${wanted}`]]),
      );
      if (ready >= wanted) return;
      throw new KeywayError(
        `${ready} of ${wanted} servers answer${problems.map((problem) => `\n  ${problem}`).join("")}`,
        {
          where: `Deployment ${namespace}/${SERVER_NAME}`,
          next: `\`kubectl -n ${namespace} logs deployment/${SERVER_NAME}\` says what they do`,
        },
      );
    });
};
