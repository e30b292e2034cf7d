import type { Entry } from "../cli/command.ts";

/** All commands of `keyway`. */
export const commands: readonly Entry[] = [
  {
    name: "build",
    summary: "compile and check the module",
    load: async () => (await import("./build.ts")).build,
  },
  {
    name: "check",
    summary: "find what would break traffic, before anything is applied",
    load: async () => (await import("./check.ts")).check,
  },
  {
    name: "completion",
    summary: "print what lets bash, zsh or fish complete commands, flags and routes",
    load: async () => (await import("./completion.ts")).completion,
  },
  {
    name: "gaps",
    summary: "show which services drop the key, and the line that mends each",
    load: async () => (await import("./gaps.ts")).gaps,
  },
  {
    name: "install",
    summary: "put the filter and its routes on Istio's proxies",
    load: async () => (await import("./install.ts")).install,
  },
  {
    name: "key",
    summary: "work with signed keys, which gateways take from outside",
    load: async () => (await import("./key.ts")).key,
  },
  {
    name: "publish",
    summary: "push the module to a registry",
    load: async () => (await import("./publish.ts")).publish,
  },
  {
    name: "render",
    summary: "print the configuration for a plain Envoy, the manifests for Istio, or the rights that they take",
    load: async () => (await import("./render.ts")).render,
  },
  {
    name: "route",
    summary: "work with routes",
    load: async () => (await import("./route.ts")).route,
  },
  {
    name: "sandbox",
    summary: "work with previews: routes and copies of workloads under one key",
    load: async () => (await import("./sandbox.ts")).sandbox,
  },
  {
    name: "serve",
    summary: "run the route server: the live route table",
    load: async () => (await import("./serve.ts")).serve,
  },
  {
    name: "server",
    summary: "put the route server and its controller into a cluster",
    load: async () => (await import("./server.ts")).server,
  },
  {
    name: "status",
    summary: "show what is installed, and what each proxy does",
    load: async () => (await import("./status.ts")).status,
  },
  {
    name: "uninstall",
    summary: "take the filter and its routes off again",
    load: async () => (await import("./uninstall.ts")).uninstall,
  },
  {
    name: "upgrade",
    summary: "change an installation, and be able to go back",
    load: async () => (await import("./upgrade.ts")).upgrade,
  },
];
