import { addCommands, defineCommand, type Entry, type Register } from "../cli/command.ts";

const entries: readonly Entry[] = [
  {
    name: "install",
    summary: "put the route server and its controller into a cluster",
    load: async () => (await import("./server-install.ts")).serverInstall,
  },
  {
    name: "upgrade",
    summary: "change the server that is there, its image for one",
    load: async () => (await import("./server-upgrade.ts")).serverUpgrade,
  },
  {
    name: "status",
    summary: "show whether its pods answer, and what keeps them",
    load: async () => (await import("./server-status.ts")).serverStatus,
  },
  {
    name: "uninstall",
    summary: "take the server out again, and all that it brought",
    load: async () => (await import("./server-uninstall.ts")).serverUninstall,
  },
];

export const server: Register = async (program, io, wanted) => {
  const group = defineCommand(program, {
    usage: "server",
    description:
      "Installs the route server in a cluster, with the controller of Sandboxes: the custom resources, the rights, a Deployment, " +
      "a Service, a PodDisruptionBudget and a NetworkPolicy. Takes the rights of a cluster's administrator. " +
      "`keyway serve` runs one on this machine, and `keyway render server` prints the manifests.",
    examples: [
      ["into namespace keyway-system", "keyway server install --image registry.example/keyway:0.1.0"],
      ["see whether it answers", "keyway server status"],
    ],
  });
  await addCommands(group, entries, io, wanted);
};
