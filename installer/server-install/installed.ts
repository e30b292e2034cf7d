// The server that is in a namespace, as its Deployment tells.
import type { V1Deployment } from "@kubernetes/client-node";
import type { Cluster } from "../../shared/cluster/cluster.ts";
import { KeywayError } from "../../shared/errors.ts";
import { CHOICE_ANNOTATION, SERVER_NAME, type ServerChoice } from "../manifests/server/server.ts";
import { isOfServer, refuseHelms } from "./ownership.ts";

/** Undefined where there is none. */
export async function installedDeployment(cluster: Cluster, namespace: string): Promise<V1Deployment | undefined> {
  const metadata = { name: SERVER_NAME, namespace };
  const there = await cluster.get<V1Deployment>({ apiVersion: "apps/v1", kind: "Deployment", metadata });
  return there !== undefined && isOfServer(there, namespace) ? there : undefined;
}

export function imageOf({ spec }: V1Deployment): string {
  return spec?.template.spec?.containers[0]?.image ?? "";
}

/** What was asked for when the server was installed. */
export function choiceOf(deployment: V1Deployment): ServerChoice {
  refuseHelms(deployment);
  const { metadata } = deployment;
  const namespace = metadata?.namespace ?? "";
  try {
    return { ...JSON.parse(metadata?.annotations?.[CHOICE_ANNOTATION] ?? ""), namespace };
  } catch (cause) {
    throw new KeywayError(`the annotation ${CHOICE_ANNOTATION} does not say how the server was installed`, {
      where: `Deployment ${namespace}/${SERVER_NAME}`,
      next: "run `keyway server install` with all that you want: it writes the annotation anew",
      cause,
    });
  }
}

export function noServer(namespace: string): KeywayError {
  return new KeywayError(`there is no route server in namespace ${namespace}`, {
    next: `\`keyway server install -n ${namespace} --image IMAGE\` puts one there; name another namespace with -n`,
  });
}
