import { addCommands, defineCommand, type Entry, type Register } from "../cli/command.ts";

const entries: readonly Entry[] = [
  {
    name: "explain",
    summary: "say where a request goes, and why",
    load: async () => (await import("./route-explain.ts")).routeExplain,
  },
];

export const route: Register = async (program, io, wanted) => {
  const group = defineCommand(program, {
    usage: "route",
    description: "Commands about single routes and the decisions that they lead to.",
    examples: [
      ["why does this request go where it goes?", 'keyway route explain -f routes.yaml -H "x-routing-key: pr-42" /'],
    ],
  });
  await addCommands(group, entries, io, wanted);
};
