import { Option } from "commander";
import { parseRouteFile } from "../../routes/reading/route-file.ts";
import { UsageError } from "../../shared/errors.ts";
import { readInput, withFileErrors } from "../../shared/input.ts";
import type { Io } from "../../shared/io.ts";
import type { Listed } from "../../shared/services/services.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { contentFlags, type InstallationFlags, nameFlag, parseName, scopeFlags } from "../cli/flags.ts";
import { type Format, toJson, toYaml } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { desiredState } from "../lifecycle/desired.ts";
import { envoyFilter } from "../manifests/envoyfilter.ts";
import { wasmPlugin } from "../manifests/wasmplugin.ts";
import { NO_WATCHER, readWatcher } from "../module/watcher.ts";
import { parseImageName, pinned } from "../registry/name.ts";
import { fromKubectl, servicesNamedIn } from "../render/listed.ts";

interface Flags extends InstallationFlags {
  name: string;
  namespace: string;
  services?: string;
  output: Exclude<Format, "table">;
}

export const renderIstio: Register = (group, io) => {
  const command = defineCommand(group, {
    usage: "istio",
    description:
      "Prints the manifests that `keyway install` would apply, for a repository that something else applies from. " +
      "Ports are taken as the route file writes them, unless --services tells them. The objects carry the time of rendering " +
      "as their version, or SOURCE_DATE_EPOCH, with which the same input gives the same output.",
    examples: [
      [
        "the pods of one workload",
        "keyway render istio -f routes.yaml -n demo -l app=reviews --module oci://…@sha256:… > keyway.yaml",
      ],
      [
        "with the routes of a route server, where callers choose",
        "keyway render istio --server keyway.keyway-system:8700 -n demo --mode outbound --module oci://…@sha256:… > keyway.yaml",
      ],
      [
        "with the ports that services really have, and a version that changes with the route file alone",
        "kubectl get services -n demo -o yaml > services.yaml\n  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct routes.yaml) \\\n    keyway render istio -f routes.yaml --services services.yaml -n demo -l app=reviews --module oci://…@sha256:…",
      ],
    ],
  });
  for (const add of [nameFlag, scopeFlags, contentFlags]) add(command);
  command
    .requiredOption("-n, --namespace <name>", "namespace of the workloads", parseName)
    .option(
      "--services <file>",
      "what `kubectl get services,pods -o yaml` tells of their ports (pods for named ones, serviceentries for hosts outside)",
    )
    .addOption(new Option("-o, --output <format>", "how to print it").choices(["yaml", "json"]).default("yaml"))
    .action(async (flags: Flags) => {
      const { routes, namespace, name, server } = flags;
      if (routes === undefined && !server) {
        const next = "give a route file, or the route server that has them with --server";
        throw new UsageError("which routes? -f is missing", { next });
      }
      const text = routes === undefined ? "" : await readInput(routes, io);
      const cluster = flags.services === undefined ? withPortsAsNamed(text, flags) : await fromFile(flags.services);
      // Standard input was read to its end; whoever reads it again gets the same.
      const desired = await desiredState(flags, { cluster, namespace, name }, undefined, { ...io, in: [text] });
      const image = parseImageName(desired.module);
      if (image.digest === undefined) {
        throw new UsageError(`${desired.module} is not pinned`, {
          next: "give the URL that `keyway publish` printed, with its @sha256:",
        });
      }
      const installation = { ...desired, module: pinned(image, image.digest), version: version(io) };
      const watcher = await readWatcher(flags.watchModule);
      if (watcher === undefined) progress(io).warn(NO_WATCHER);
      if (installation.mode === "both" && flags.selector !== undefined && flags.services === undefined) {
        progress(io).warn(
          "nobody says which services the selected workloads answer for, so only callers choose; --services tells it",
        );
      }
      if (installation.mode !== "inbound") {
        progress(io).warn(
          "no proxy is asked, so there are no twins: routed requests lose what their own routes say; `keyway install` keeps it",
        );
      }
      const manifests = [wasmPlugin(installation), envoyFilter(installation, { watcher })];
      const list = { apiVersion: "v1", kind: "List", items: manifests };
      io.out.write(flags.output === "json" ? toJson(list) : manifests.map((one) => toYaml(one)).join("---\n"));
    });

  async function fromFile(path: string): Promise<Listed> {
    const text = await readInput(path, io);
    return withFileErrors(path, () => fromKubectl(text));
  }

  function withPortsAsNamed(text: string, { routes = "", namespace }: Flags): Listed {
    if (text !== "") progress(io).warn("ports are taken as the route file writes them; --services tells what they are");
    return servicesNamedIn(
      withFileErrors(routes, () => parseRouteFile(text)),
      namespace,
    );
  }
};

/** Seconds since the epoch. */
function version({ env }: Io): number {
  const { SOURCE_DATE_EPOCH: said } = env;
  if (said === undefined) return Math.floor(Date.now() / 1000);
  if (/^\d{1,10}$/.test(said)) return Number(said);
  throw new UsageError(`SOURCE_DATE_EPOCH is "${said}"`, { next: "set it to seconds since 1970, or not at all" });
}
