import { Option } from "commander";
import { defineCommand, type Register } from "../cli/command.ts";
import { type Format, toJson, toYaml } from "../cli/output.ts";
import { customResources } from "../manifests/crds.ts";

export const renderCrds: Register = (group, io) => {
  defineCommand(group, {
    usage: "crds",
    description:
      "Prints the CustomResourceDefinitions of Route and Sandbox, for route servers with `--store kubernetes` and for `keyway route --kube`. " +
      "Whoever applies them needs the rights of a cluster's administrator.",
    examples: [["put them into a cluster", "keyway render crds | kubectl apply -f -"]],
  })
    .addOption(new Option("-o, --output <format>", "how to print it").choices(["yaml", "json"]).default("yaml"))
    .action(({ output }: { output: Exclude<Format, "table"> }) => {
      const items = customResources();
      const list = { apiVersion: "v1", kind: "List", items };
      io.out.write(output === "json" ? toJson(list) : items.map((one) => toYaml(one)).join("---\n"));
    });
};
