import { Option } from "commander";
import { defineCommand, type Register } from "../cli/command.ts";
import { type Format, toJson, toYaml } from "../cli/output.ts";
import { routeDefinition } from "../manifests/crds.ts";

export const renderCrds: Register = (group, io) => {
  defineCommand(group, {
    usage: "crds",
    description:
      "Prints the CustomResourceDefinition of Route, for route servers with `--store kubernetes` and for `keyway route --kube`. " +
      "Whoever applies it needs the rights of a cluster's administrator.",
    examples: [["put it into a cluster", "keyway render crds | kubectl apply -f -"]],
  })
    .addOption(new Option("-o, --output <format>", "how to print it").choices(["yaml", "json"]).default("yaml"))
    .action(({ output }: { output: Exclude<Format, "table"> }) => {
      io.out.write(output === "json" ? toJson(routeDefinition()) : toYaml(routeDefinition()));
    });
};
