import { addCommands, defineCommand, type Entry, type Register } from "../cli/command.ts";

const entries: readonly Entry[] = [
  {
    name: "create",
    summary: "create a preview, or change it",
    load: async () => (await import("./sandbox-create.ts")).sandboxCreate,
  },
  {
    name: "delete",
    summary: "take previews away, with all that they brought",
    load: async () => (await import("./sandbox-delete.ts")).sandboxDelete,
  },
  {
    name: "list",
    summary: "show previews, and what they wait for",
    load: async () => (await import("./sandbox-list.ts")).sandboxList,
  },
];

export const sandbox: Register = async (program, io, wanted) => {
  const group = defineCommand(program, {
    usage: "sandbox",
    description:
      "Works with the Sandboxes of a Kubernetes cluster. A Sandbox is all that one preview needs: routes for its key, and copies of workloads with " +
      "another image. The controller in the cluster (`keyway server install`) makes it work, and takes all of it away again.",
    examples: [
      [
        "a copy of reviews with another image, until it is in force",
        "keyway sandbox create pr-42 --fork Deployment/reviews --image registry.example/reviews:pr-42 --wait",
      ],
      ["what is there?", "keyway sandbox list"],
      ["gone, with its copies and routes", "keyway sandbox delete pr-42"],
    ],
  });
  await addCommands(group, entries, io, wanted);
};
