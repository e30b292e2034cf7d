import { InvalidArgumentError } from "commander";
import { defineCommand, type Register } from "../cli/command.ts";
import { applyFlags, parseName } from "../cli/flags.ts";
import { lifeFlags } from "../cli/life-flags.ts";
import { linkFlags } from "../cli/link-flags.ts";
import { outputOption } from "../cli/output.ts";
import { sandboxPlaceFlags, waitFlag } from "../cli/sandbox-flags.ts";
import { collect } from "../cli/table-flags.ts";
import type { CreateFlags } from "../sandbox/create.ts";
import { FORK_FLAGS, type ForkWord } from "../sandbox/fork-words.ts";

export const sandboxCreate: Register = (group, io) => {
  const command = defineCommand(group, {
    usage: "create <name>",
    description:
      "Creates a Sandbox, or makes the one of this name what the flags say: the same command twice changes nothing. Its key is its name unless " +
      "--key says another one.\n\n" +
      "What stands behind a --fork is about that copy, and what stands behind a --container about that container: --image, --env, --replicas, " +
      "--follow. The container may be left out where the workload has only one. A copy takes the requests of the key that the " +
      "workload's Services would get.\n\n" +
      "With --wait the command ends once all proxies send requests with the key there, and fails with the reasons where that is not " +
      "so in time.",
    examples: [
      [
        "a copy of a Deployment with another image",
        "keyway sandbox create pr-42 --fork Deployment/reviews --image registry.example/reviews:pr-42",
      ],
      [
        "from CI: until it is in force, for three days, with a link that opens it",
        "keyway sandbox create pr-42 --fork Deployment/reviews --image registry.example/reviews:pr-42 --ttl 3d --wait=300 --link https://shop.example --keys host:.preview.shop.example -o json",
      ],
      [
        "two copies, one of them with two changed containers",
        "keyway sandbox create pr-42 --fork Deployment/reviews --container app --image registry.example/reviews:pr-42 --env LEVEL=debug --container migrate --image registry.example/migrate:pr-42 --fork StatefulSet/ledger --image registry.example/ledger:pr-42",
      ],
      ["to what runs already", "keyway sandbox create pr-42 --route reviews=reviews-pr-42 --route ratings=ratings@v2"],
      ["with what others have under a label", "keyway sandbox create checkout --include team=checkout"],
      ["what would change?", "keyway sandbox create pr-42 --route reviews=reviews-pr-43 --diff"],
    ],
  });
  const words: ForkWord[] = [];
  command
    .option(
      "--fork <kind/name>",
      "a workload to copy: a Deployment, StatefulSet or Rollout; can be repeated",
      parseName,
    )
    .option("--container <name>", "the container of the copy that the following flags are about", parseName)
    .option("--image <image>", "the image that the container runs", parseName)
    .option("--env <name=value>", "an environment variable of the container; can be repeated", parseName)
    .option("--replicas <number>", "pods of the copy (default: 1)", parseReplicas)
    .option("--follow", "the copy changes with its workload, which otherwise is only told")
    .option("--route <service=target>", "a route to what runs already; can be repeated", collect)
    .option("--key <key>", "the routing key (default: the name)", parseName);
  lifeFlags(command, "Sandbox")
    .option(
      "--include <name=value>",
      "a label of other Sandboxes, whose routes hold, too; of several all must be there",
      collect,
    )
    .option("--label <name=value>", "a label of the Sandbox; can be repeated", collect);
  linkFlags(command);
  for (const flag of FORK_FLAGS) {
    command.on(`option:${flag}`, (value: string | null) => void words.push({ flag, value: value ?? "" }));
  }
  sandboxPlaceFlags(applyFlags(waitFlag(command, "all proxies have it")))
    .addOption(outputOption())
    .action(async (name: string, flags: CreateFlags) => {
      const { createSandbox } = await import("../sandbox/create.ts");
      await createSandbox(io, name, flags, words);
    });
};

function parseReplicas(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError("expected a whole number.");
  return Number(text);
}
