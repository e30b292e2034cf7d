import { Option } from "commander";
import { namedServices } from "../../routes/compiling/named-services.ts";
import { parseRouteFile } from "../../routes/reading/route-file.ts";
import { UsageError } from "../../shared/errors.ts";
import { readInput, withFileErrors } from "../../shared/input.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { parseName } from "../cli/flags.ts";
import { type Format, toJson, toYaml } from "../cli/output.ts";
import { ISTIO_NAMESPACE } from "../manifests/names.ts";
import {
  amalgam8Manifests,
  overridesManifests,
  rbacManifests,
  type Subject,
  serverManifests,
} from "../manifests/rights.ts";

interface Flags {
  namespace: string;
  istioNamespace: string;
  routes?: string;
  routeNamespace: string[];
  user?: string;
  group?: string;
  serviceAccount?: string;
  server?: boolean;
  overrides: string[];
  amalgam8?: boolean;
  output: Exclude<Format, "table">;
}

export const renderRbac: Register = (group, io) => {
  defineCommand(group, {
    usage: "rbac",
    description:
      "Prints a Role and a RoleBinding for the workloads' namespace, for Istio's, and for each other namespace whose services the routes " +
      "name, with which one user, group or service account may check, install, upgrade, look at and uninstall.",
    examples: [
      ["for a person", "keyway render rbac -n demo --user jane | kubectl apply -f -"],
      [
        "for routes that lead into other namespaces",
        "keyway render rbac -n demo -f routes.yaml --user jane | kubectl apply -f -",
      ],
      ["for a pipeline", "keyway render rbac -n demo --service-account ci/deployer | kubectl apply -f -"],
      [
        "for a route server with --store kubernetes",
        "keyway render rbac --server -n keyway-system --service-account keyway-system/keyway | kubectl apply -f -",
      ],
    ],
  })
    .requiredOption("-n, --namespace <name>", "namespace of the workloads", parseName)
    .option("--istio-namespace <name>", "namespace of Istio's control plane", ISTIO_NAMESPACE)
    .option("-f, --routes <file>", "route file; adds what the namespaces that it names take; - reads stdin")
    .option(
      "--route-namespace <name>",
      "another namespace that routes lead into; can be repeated",
      (name: string, before: string[]) => [...before, name],
      [] as string[],
    )
    .option("--server", "the rights of a route server with its routes in this namespace, instead of an installation's")
    .option(
      "--overrides <name>",
      "with --server: a namespace in which versions of pods become routes; can be repeated",
      (name: string, before: string[]) => [...before, name],
      [] as string[],
    )
    .option("--amalgam8", "with --server: what it takes to serve Amalgam8's clients, too")
    .option("--user <name>", "who gets the rights")
    .option("--group <name>", "who gets the rights")
    .option("--service-account <namespace/name>", "who gets the rights")
    .addOption(new Option("-o, --output <format>", "how to print it").choices(["yaml", "json"]).default("yaml"))
    .action(async (flags: Flags) => {
      const subject = subjectOf(flags);
      const routeNamespaces = [...flags.routeNamespace, ...(await namespacesIn(flags.routes))];
      const manifests = flags.server
        ? [
            ...serverManifests(flags.namespace, subject),
            ...(flags.amalgam8 ? amalgam8Manifests(flags.namespace, subject) : []),
            ...flags.overrides.flatMap((namespace) => overridesManifests(namespace, subject)),
          ]
        : rbacManifests({ ...flags, routeNamespaces }, subject);
      const list = { apiVersion: "v1", kind: "List", items: manifests };
      io.out.write(flags.output === "json" ? toJson(list) : manifests.map((one) => toYaml(one)).join("---\n"));
    });

  async function namespacesIn(path: string | undefined): Promise<string[]> {
    if (path === undefined) return [];
    const text = await readInput(path, io);
    return namedServices(withFileErrors(path, () => parseRouteFile(text))).flatMap(({ isHost, namespace }) =>
      isHost ? [] : (namespace ?? []),
    );
  }
};

function subjectOf({ user, group, serviceAccount }: Flags): Subject {
  if ([user, group, serviceAccount].filter((said) => said !== undefined).length !== 1) {
    throw new UsageError("who gets the rights? Give one of --user, --group and --service-account");
  }
  if (user !== undefined) return { kind: "User", name: user };
  if (group !== undefined) return { kind: "Group", name: group };
  const [namespace = "", name] = (serviceAccount ?? "").split("/");
  if (!name) throw new UsageError(`--service-account ${serviceAccount} is not NAMESPACE/NAME`);
  return { kind: "ServiceAccount", name, namespace };
}
