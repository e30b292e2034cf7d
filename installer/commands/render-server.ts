import { Option } from "commander";
import { UsageError } from "../../shared/errors.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { parseName } from "../cli/flags.ts";
import { type Format, toJson, toYaml } from "../cli/output.ts";
import { newServer, type ServerChoiceFlags, serverChoiceFlags, withSaid } from "../cli/server-flags.ts";
import { definitionObjects, namespaceOf, serverObjects } from "../manifests/server/objects.ts";
import { DEFAULT_NAMESPACE } from "../manifests/server/server.ts";

interface Flags extends ServerChoiceFlags {
  namespace: string;
  output: Exclude<Format, "table">;
}

export const renderServer: Register = (group, io) => {
  const command = defineCommand(group, {
    usage: "server",
    description:
      "Prints what `keyway server install` applies: the namespace, the custom resources, the server's account and rights, its Service, NetworkPolicy, " +
      "PodDisruptionBudget and Deployment. The Helm chart in charts/keyway makes the same.",
    examples: [
      ["to keep in Git", "keyway render server --image registry.example/keyway:0.1.0 > keyway-server.yaml"],
      ["to apply", "keyway render server --image registry.example/keyway:0.1.0 | kubectl apply --server-side -f -"],
    ],
  });
  serverChoiceFlags(command.option("-n, --namespace <name>", "namespace of the server", parseName, DEFAULT_NAMESPACE))
    .addOption(new Option("-o, --output <format>", "how to print it").choices(["yaml", "json"]).default("yaml"))
    .action((flags: Flags) => {
      if (flags.image === undefined) throw new UsageError("which image? Give --image");
      const choice = withSaid(newServer(flags.namespace, flags.image), flags);
      const items = [namespaceOf(choice), ...definitionObjects(), ...serverObjects(choice)];
      const list = { apiVersion: "v1", kind: "List", items };
      io.out.write(flags.output === "json" ? toJson(list) : items.map((one) => toYaml(one)).join("---\n"));
    });
};
