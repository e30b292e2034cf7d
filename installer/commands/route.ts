import { addCommands, defineCommand, type Entry, type Register } from "../cli/command.ts";

const entries: readonly Entry[] = [
  {
    name: "apply",
    summary: "make the routes of a file those of the server",
    load: async () => (await import("./route-apply.ts")).routeApply,
  },
  {
    name: "delete",
    summary: "delete routes",
    load: async () => (await import("./route-delete.ts")).routeDelete,
  },
  {
    name: "explain",
    summary: "say where a request goes, and why",
    load: async () => (await import("./route-explain.ts")).routeExplain,
  },
  {
    name: "export",
    summary: "print routes as a route file",
    load: async () => (await import("./route-export.ts")).routeExport,
  },
  {
    name: "import",
    summary: "add the routes of a file to the server's",
    load: async () => (await import("./route-import.ts")).routeImport,
  },
  {
    name: "list",
    summary: "show routes",
    load: async () => (await import("./route-list.ts")).routeList,
  },
  {
    name: "renew",
    summary: "let routes live longer",
    load: async () => (await import("./route-renew.ts")).routeRenew,
  },
  {
    name: "set",
    summary: "create a route, or replace it",
    load: async () => (await import("./route-set.ts")).routeSet,
  },
  {
    name: "watch",
    summary: "print changes as they come",
    load: async () => (await import("./route-watch.ts")).routeWatch,
  },
];

export const route: Register = async (program, io, wanted) => {
  const group = defineCommand(program, {
    usage: "route",
    description:
      "Works with the live routes of a route server, which proxies follow within milliseconds: --server or KEYWAY_SERVER names it. With -f a " +
      "route file takes its place, with --kube the Route resources of a cluster.",
    examples: [
      ["a preview for two hours", "keyway route set reviews --key pr-42 --to reviews-pr-42 --ttl 2h"],
      ["what is there?", "keyway route list"],
      ["why does this request go where it goes?", 'keyway route explain -f routes.yaml -H "x-routing-key: pr-42" /'],
    ],
  });
  await addCommands(group, entries, io, wanted);
};
