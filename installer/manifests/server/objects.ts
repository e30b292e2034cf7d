import type { KubeObject } from "../../../shared/cluster/object.ts";
import { customResources } from "../crds.ts";
import { amalgam8Manifests, overridesManifests, type Subject, serverManifests } from "../rights.ts";
import { deployment } from "./deployment.ts";
import { DOORS, listenersOf } from "./listeners.ts";
import { disruptionBudget, networkPolicy, service } from "./network.ts";
import { labelsOf, metadataOf, overriddenBy, SERVER_NAME, type ServerChoice } from "./server.ts";

/** The namespace, for clusters that do not have it. */
export function namespaceOf(choice: ServerChoice): KubeObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name: choice.namespace, labels: labelsOf(choice) } };
}

/** The custom resources, which all servers of a cluster share. */
export function definitionObjects(): KubeObject[] {
  return customResources().map((one) => ({
    ...one,
    metadata: { ...one.metadata, labels: { "app.kubernetes.io/managed-by": "keyway" } },
  }));
}

/** Who the server is, and what it may do. */
export function accessObjects(choice: ServerChoice): KubeObject[] {
  const account = accountOf(choice);
  const hasAmalgam8 = listenersOf(choice).some(({ name }) => name === DOORS.amalgam8);
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: metadataOf(choice) },
    ...labelled(choice, serverManifests(choice.namespace, account)),
    ...(hasAmalgam8 ? amalgam8Objects(choice) : []),
    ...overriddenBy(choice).flatMap((namespace) => overridesObjects(choice, namespace)),
  ];
}

/** What it takes to keep what Amalgam8's clients say. */
export function amalgam8Objects(choice: Pick<ServerChoice, "namespace">): KubeObject[] {
  return labelled(choice, amalgam8Manifests(choice.namespace, accountOf(choice)));
}

/** What it takes to follow the versions of pods in a namespace. */
export function overridesObjects(choice: Pick<ServerChoice, "namespace">, namespace: string): KubeObject[] {
  return labelled(choice, overridesManifests(namespace, accountOf(choice)));
}

function accountOf({ namespace }: Pick<ServerChoice, "namespace">): Subject {
  return { kind: "ServiceAccount", name: SERVER_NAME, namespace };
}

function labelled(choice: Pick<ServerChoice, "namespace">, objects: readonly KubeObject[]): KubeObject[] {
  return objects.map((one) => ({ ...one, metadata: { ...one.metadata, labels: labelsOf(choice) } }));
}

/** What belongs to one server, in the order in which it is applied: the pods last. */
export function serverObjects(choice: ServerChoice): KubeObject[] {
  const network = [service(choice), networkPolicy(choice), disruptionBudget(choice)];
  return [...accessObjects(choice), ...network, deployment(choice)] as KubeObject[];
}
