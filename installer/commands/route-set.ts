import { Option } from "commander";
import { MISSING } from "../../routes/model/model.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { parseName } from "../cli/flags.ts";
import { lifeFlags } from "../cli/life-flags.ts";
import { type Format, outputOption } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import {
  type ChangeFlags,
  changeFlags,
  collect,
  type TableFlags,
  tableFlags,
  type WaitFlag,
  waitFlag,
} from "../cli/table-flags.ts";
import type { RouteWords } from "../route-words/wanted.ts";

export interface SetFlags extends TableFlags, ChangeFlags, WaitFlag, RouteWords {
  output: Format;
}

/** What Amalgam8's words stand for in place of these. */
const OURS = ["key", "to", "split", "id", "from"];

export const routeSet: Register = (group, io) => {
  const command = defineCommand(group, {
    usage: "set [service]",
    description:
      "Creates a route, or replaces it: without --id the name of a route is made from its service, key and conditions, so the same " +
      "command twice changes nothing, and one with another target replaces the first.\n\n" +
      "A service is NAME[.NAMESPACE][:PORT]; a target is one too, or SERVICE@SUBSET, or cluster:NAME. A condition is header:NAME, " +
      "cookie:NAME, query:NAME, path, method, host or caller, then = for the whole text, ^= for its begin, $= for its end, *= for a part " +
      "of it; alone it asks for any value, and ! before it, or != in it, turns it round.\n\n" +
      "--default and --selector are the words of Amalgam8's `a8ctl route-set`. They make routes to subsets of the service, and replace " +
      "those that they made before.",
    examples: [
      ["a preview for two hours", "keyway route set reviews --key pr-42 --to reviews-pr-42 --ttl 2h"],
      ["one user, to a subset", "keyway route set reviews --when cookie:user=alice --to reviews@v2"],
      [
        "a key, under a path only, and no answer but its own",
        "keyway route set ratings --key pr-42 --when path^=/api/ --to ratings-pr-42 --missing fail",
      ],
      ["a tenth of the requests", "keyway route set reviews --split reviews-v3=10 --sticky cookie:session"],
      ["by the names of clusters", "keyway route set --from reviews_cluster --key pr-42 --to reviews_pr_42"],
      [
        "in the words of Amalgam8",
        `keyway route set reviews --default v1 --selector 'v2(user="Alice")' --selector 'v3(weight=0.1)'`,
      ],
      ["in a route file", "keyway route set reviews --key pr-42 --to reviews-pr-42 -f routes.yaml --diff"],
    ],
  });
  command
    .option(
      "--from <cluster>",
      "from a cluster, or * for any, in place of a service; targets are clusters then",
      parseName,
    )
    .option("--key <key>", "the routing key that a request must carry", parseName)
    .option("--when <condition>", "a condition that must hold; can be repeated", collect)
    .option("--to <target>", "where the requests go", parseName)
    .option("--split <target=percent>", "a share of the requests; can be repeated", collect)
    .option("--sticky <source>", "what keeps a share's requests together, such as cookie:session", parseName)
    .addOption(
      new Option("--missing <what>", "what is done where the target is missing (default: baseline)").choices(MISSING),
    );
  lifeFlags(command, "route")
    .option("--owner <name>", "whose route it is", parseName)
    .option("--label <name=value>", "a label to find the route by; can be repeated", collect)
    .option("--id <id>", "the route's name (default: made from service, key and conditions)", parseName)
    .addOption(
      new Option("--default <version>", "Amalgam8: where requests go that no selector takes")
        .argParser(parseName)
        .conflicts(OURS),
    )
    .addOption(
      new Option(
        "--selector <selector>",
        `Amalgam8: VERSION(user="NAME"), VERSION(header="NAME:PATTERN") or VERSION(weight=FRACTION); can be repeated`,
      )
        .argParser(collect)
        .conflicts(OURS),
    )
    .addOption(
      new Option("--source <service>", "Amalgam8: only requests of this caller; see --when caller").hideHelp(),
    );
  tableFlags(waitFlag(changeFlags(command)))
    .addOption(outputOption())
    .action(async (service: string | undefined, flags: SetFlags) => {
      const { wantedRoutes } = await import("../route-words/wanted.ts");
      const { openTable } = await import("../route-table/open.ts");
      const { planDelete, planSet } = await import("../route-table/plan.ts");
      const { change } = await import("../route-table/change.ts");
      const { isFromWords } = await import("../route-words/selectors.ts");
      const { routes, remarks, placeOf } = wantedRoutes(service, flags);
      const table = await openTable(flags, io);
      const ids = new Set(routes.map(({ id }) => id));
      const there = await table.get([...ids]);
      const former =
        flags.default === undefined || service === undefined
          ? []
          : (await table.list({ service })).routes.filter((one) => isFromWords(one, service) && !ids.has(one.id));
      for (const remark of remarks) progress(io).warn(remark);
      const mend = "change the command, or the route that is there: `keyway route list` shows it, --id replaces it";
      await change(io, table, [...planSet(routes, there), ...planDelete(former)], { ...flags, placeOf, mend });
    });
};
