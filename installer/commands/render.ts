import type { Command } from "commander";
import { type Register, teach } from "../cli/command.ts";
import { renderEnvoy } from "./render-envoy.ts";
import { renderIstio } from "./render-istio.ts";
import { renderRbac } from "./render-rbac.ts";

export const render: Register = (program, io) => {
  const group: Command = teach(program, {
    usage: "render",
    summary: "print the configuration for a plain Envoy, the manifests for Istio, or the rights that they take",
    about: "Turns a route file into configuration, on stdout. Touches no cluster and no proxy.",
    examples: [
      ["an Envoy without a mesh", "keyway render envoy -f routes.yaml > envoy.yaml"],
      [
        "manifests to keep in Git",
        "keyway render istio -f routes.yaml -n demo -l app=reviews --module oci://… > keyway.yaml",
      ],
    ],
  });
  renderEnvoy(group, io);
  renderIstio(group, io);
  renderRbac(group, io);
};
