import type { KubeObject } from "../../../shared/cluster/object.ts";
import { customResources } from "../crds.ts";
import { amalgam8Manifests, type Subject, serverManifests } from "../rights.ts";
import { deployment } from "./deployment.ts";
import { DOORS, listenersOf } from "./listeners.ts";
import { disruptionBudget, networkPolicy, service } from "./network.ts";
import { labelsOf, metadataOf, SERVER_NAME, type ServerChoice } from "./server.ts";

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
  const { namespace } = choice;
  const account: Subject = { kind: "ServiceAccount", name: SERVER_NAME, namespace };
  const hasAmalgam8 = listenersOf(choice).some(({ name }) => name === DOORS.amalgam8);
  const rights = [
    ...serverManifests(namespace, account),
    ...(hasAmalgam8 ? amalgam8Manifests(namespace, account) : []),
  ];
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: metadataOf(choice) },
    ...rights.map((one) => ({ ...one, metadata: { ...one.metadata, labels: labelsOf(choice) } })),
  ];
}

/** What belongs to one server, in the order in which it is applied: the pods last. */
export function serverObjects(choice: ServerChoice): KubeObject[] {
  const network = [service(choice), networkPolicy(choice), disruptionBudget(choice)];
  return [...accessObjects(choice), ...network, deployment(choice)] as KubeObject[];
}
