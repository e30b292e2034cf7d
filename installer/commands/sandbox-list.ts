import { defineCommand, type Register } from "../cli/command.ts";
import { type LinkFlags, linkFlags } from "../cli/link-flags.ts";
import { count, emit, type Format, outputOption } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import {
  connectForSandboxes,
  type PlaceFlags,
  type SandboxFilter,
  sandboxFilterFlags,
  sandboxPlaceFlags,
} from "../cli/sandbox-flags.ts";
import { chosenBy } from "../sandbox/chosen.ts";

interface Flags extends PlaceFlags, SandboxFilter, LinkFlags {
  allNamespaces?: boolean;
  output: Format;
}

export const sandboxList: Register = (group, io) => {
  const command = defineCommand(group, {
    usage: "list",
    description:
      "Shows Sandboxes, and what those that are not in force wait for. What several flags say must all hold.",
    examples: [
      ["those of a namespace", "keyway sandbox list -n demo"],
      ["all of a team's", "keyway sandbox list --all-namespaces --label team=checkout"],
      ["with the links that open them", "keyway sandbox list --link https://shop.example -f routes.yaml"],
      ["for programs, with all conditions", "keyway sandbox list -o json"],
    ],
  });
  sandboxPlaceFlags(linkFlags(sandboxFilterFlags(command)))
    .option("-A, --all-namespaces", "of all namespaces")
    .addOption(outputOption())
    .action(async (flags: Flags) => {
      const { Sandboxes } = await import("../sandbox/in-cluster.ts");
      const { sandboxData, sandboxTable } = await import("../print/sandboxes.ts");
      const { linkerFor, warnOfLinks } = await import("../sandbox/links.ts");
      const linksOf = await linkerFor(flags, io);
      const cluster = await connectForSandboxes(flags, io);
      const namespace = flags.allNamespaces ? undefined : (flags.namespace ?? cluster.namespace);
      const sandboxes = (await new Sandboxes(cluster).list(namespace)).filter(chosenBy(flags));
      const links = sandboxes.map(({ metadata, spec }) => linksOf(spec.key ?? metadata.name));
      const urls = links.map((all) => all.flatMap((one) => one.urls));
      const data = sandboxes.map((one, at) => ({ ...sandboxData(one), ...(flags.link && { links: urls[at] }) }));
      emit(io, flags.output, { sandboxes: data }, () => {
        const lines = urls.flat().map((url) => `${url}\n`);
        return sandboxTable(io, sandboxes, { withNamespace: namespace === undefined }) + lines.join("");
      });
      warnOfLinks(io, links.flat());
      const where = namespace === undefined ? "any namespace" : `namespace ${namespace}`;
      if (sandboxes.length === 0) progress(io).done(`${count(0, "Sandbox", "Sandboxes")} in ${where}`);
    });
};
