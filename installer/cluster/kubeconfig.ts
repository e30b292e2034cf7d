import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { nearest } from "../../routes/reading/closest.ts";
import { KeywayError, reason } from "../cli/errors.ts";

export interface ClusterChoice {
  kubeconfig?: string;
  context?: string;
  namespace?: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Finds the cluster as kubectl does: the flag, KUBECONFIG, ~/.kube/config, then the pod it runs in. */
export async function loadKubeConfig(choice: ClusterChoice, env: Env): Promise<KubeConfig> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  const files = filesOf(choice, env);
  if (files.length === 0) {
    if (env.KUBERNETES_SERVICE_HOST === undefined) {
      throw new KeywayError("no cluster to talk to: there is no kubeconfig and this is no pod", {
        where: "--kubeconfig, $KUBECONFIG, ~/.kube/config",
        next: "name one with --kubeconfig FILE",
      });
    }
    config.loadFromCluster();
    return config;
  }
  for (const [index, file] of files.entries()) {
    const one = index === 0 ? config : new KubeConfig();
    readFile(one, file);
    if (index > 0) config.mergeConfig(one, true);
  }
  return chooseContext(config, choice, files.join(delimiter));
}

function filesOf({ kubeconfig }: ClusterChoice, env: Env): string[] {
  if (kubeconfig !== undefined) return [kubeconfig];
  if (env.KUBECONFIG) return env.KUBECONFIG.split(delimiter).filter((file) => file !== "");
  const usual = join(env.HOME ?? "", ".kube", "config");
  return existsSync(usual) ? [usual] : [];
}

function readFile(config: KubeConfig, file: string): void {
  try {
    config.loadFromFile(file);
  } catch (cause) {
    throw new KeywayError(`the kubeconfig can't be read: ${reason(cause)}`, {
      where: file,
      next: "name another with --kubeconfig FILE, or mend this one (`kubectl config view` reads it too)",
      cause,
    });
  }
}

function chooseContext(config: KubeConfig, { context }: ClusterChoice, where: string): KubeConfig {
  const names = config.contexts.map(({ name }) => name);
  if (context !== undefined) config.setCurrentContext(context);
  if (config.getCurrentCluster() === null) {
    const wanted = config.getCurrentContext();
    const meant = nearest(wanted ?? "", names);
    throw new KeywayError(
      wanted ? `there is no context ${wanted} with a cluster` : "the kubeconfig names no current context",
      {
        where,
        next:
          meant.length > 0 ? `did you mean --context ${meant[0]}?` : `choose one with --context: ${names.join(", ")}`,
      },
    );
  }
  return config;
}
