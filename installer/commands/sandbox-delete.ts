import { KeywayError, UsageError } from "../../shared/errors.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { type DryRun, dryRunOption } from "../cli/flags.ts";
import { count, emit, type Format, outputOption } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import {
  connectForSandboxes,
  type PlaceFlags,
  type SandboxFilter,
  sandboxFilterFlags,
  sandboxPlaceFlags,
  waitFlag,
  waitSeconds,
} from "../cli/sandbox-flags.ts";
import { chosenBy } from "../sandbox/chosen.ts";

interface Flags extends PlaceFlags, SandboxFilter {
  ignoreNotFound?: boolean;
  wait?: number | boolean;
  dryRun?: DryRun;
  output: Format;
}

export const sandboxDelete: Register = (group, io) => {
  const command = defineCommand(group, {
    usage: "delete [names...]",
    description:
      "Deletes Sandboxes, by their names or by what they have in common. Their routes leave the proxies first, then their copies go. " +
      "With --wait the command ends once all of it is gone.",
    examples: [
      ["a preview", "keyway sandbox delete pr-42"],
      ["from CI, where it may be gone already", "keyway sandbox delete pr-42 --ignore-not-found --wait"],
      ["what would go?", "keyway sandbox delete --label team=checkout --dry-run"],
    ],
  });
  sandboxPlaceFlags(waitFlag(sandboxFilterFlags(command), "they and their copies are gone"))
    .option("--ignore-not-found", "a name that is not there is no failure")
    .addOption(dryRunOption())
    .addOption(outputOption())
    .action(async (names: string[], flags: Flags) => {
      const { key, label } = flags;
      const isFiltered = key !== undefined || label !== undefined;
      if (names.length === 0 && !isFiltered) {
        throw new UsageError("delete which Sandboxes?", {
          next: "name them, or say what they have in common: --label NAME=VALUE",
        });
      }
      if (names.length > 0 && isFiltered) {
        throw new UsageError("names and what Sandboxes have in common exclude each other", {
          next: "leave out --key and --label, or the names",
        });
      }
      const { nameOf, Sandboxes } = await import("../sandbox/in-cluster.ts");
      const { sandboxData, sandboxTable } = await import("../print/sandboxes.ts");
      const { waitGone } = await import("../sandbox/wait.ts");
      const { didYouMean } = await import("../../routes/reading/diagnostic.ts");
      const cluster = await connectForSandboxes(flags, io);
      const namespace = flags.namespace ?? cluster.namespace;
      const sandboxes = new Sandboxes(cluster);
      const all = await sandboxes.list(namespace);
      const known = all.map(({ metadata }) => metadata.name);
      const missing = names.filter((name) => !known.includes(name));
      const [first] = missing;
      if (first !== undefined && !flags.ignoreNotFound) {
        throw new KeywayError(
          `there is no Sandbox ${missing.join(", ")} in namespace ${namespace}${didYouMean(first, known)}`,
          {
            next: "`keyway sandbox list` shows those that are there; nothing was deleted",
          },
        );
      }
      const chosen = isFiltered
        ? all.filter(chosenBy(flags))
        : all.filter(({ metadata }) => names.includes(metadata.name));
      const isDry = flags.dryRun !== undefined;
      if (flags.dryRun !== "client") for (const one of chosen) await sandboxes.remove(one, isDry);
      const outcome = `deleted${isDry ? " (dry run)" : ""}`;
      const steps = progress(io);
      const seconds = isDry ? undefined : waitSeconds(flags.wait);
      if (seconds !== undefined && chosen.length > 0) {
        await waitGone(sandboxes, chosen, {
          seconds,
          signal: io.signal,
          told: (text) => steps.update(`waits for ${text}`),
        });
      }
      emit(io, flags.output, { sandboxes: chosen.map((one) => ({ ...sandboxData(one), outcome })) }, () =>
        chosen.length === 0 ? "" : sandboxTable(io, chosen, { outcomes: chosen.map(() => outcome) }),
      );
      if (chosen.length !== 1)
        steps.done(`${count(chosen.length, "Sandbox", "Sandboxes")} ${outcome} in namespace ${namespace}`);
      else if (seconds !== undefined)
        steps.done(`Sandbox ${chosen.map(nameOf).join("")} is gone, with all that it brought`);
    });
};
