import { addCommands, defineCommand, type Entry, type Register } from "../cli/command.ts";

const entries: readonly Entry[] = [
  {
    name: "envoy",
    summary: "a whole envoy.yaml, or the parts to copy into one",
    load: async () => (await import("./render-envoy.ts")).renderEnvoy,
  },
  {
    name: "istio",
    summary: "the WasmPlugin and the EnvoyFilter",
    load: async () => (await import("./render-istio.ts")).renderIstio,
  },
  {
    name: "rbac",
    summary: "the rights that an installation takes, or a route server, and no more",
    load: async () => (await import("./render-rbac.ts")).renderRbac,
  },
  {
    name: "crds",
    summary: "the custom resources of route servers in Kubernetes",
    load: async () => (await import("./render-crds.ts")).renderCrds,
  },
  {
    name: "server",
    summary: "a route server in a cluster, with all that it takes",
    load: async () => (await import("./render-server.ts")).renderServer,
  },
];

export const render: Register = async (program, io, wanted) => {
  const group = defineCommand(program, {
    usage: "render",
    description: "Turns a route file into configuration, on stdout. Touches no cluster and no proxy.",
    examples: [
      ["an Envoy without a mesh", "keyway render envoy -f routes.yaml > envoy.yaml"],
      [
        "manifests to keep in Git",
        "keyway render istio -f routes.yaml -n demo -l app=reviews --module oci://… > keyway.yaml",
      ],
    ],
  });
  await addCommands(group, entries, io, wanted);
};
