/** What is needed to know of any object of the API; the typed models of all packages fit it. */
export interface KubeObject {
  apiVersion?: string | undefined;
  kind?: string | undefined;
  metadata?: Meta | undefined;
}

export interface Meta {
  name?: string | undefined;
  namespace?: string | undefined;
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  generation?: number | undefined;
  labels?: Record<string, string> | undefined;
  annotations?: Record<string, string> | undefined;
  managedFields?: ManagedFields[] | undefined;
  ownerReferences?: OwnerReference[] | undefined;
}

/** An object with which this one goes. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
}

/** Who wrote which fields. */
export interface ManagedFields {
  manager?: string | undefined;
  subresource?: string | undefined;
  fieldsV1?: object | undefined;
}

export interface Ref {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; uid?: string };
}

/** `WasmPlugin demo/keyway`: how an object is named to people. */
export function title({ kind, metadata }: KubeObject): string {
  return `${kind} ${qualified(metadata)}`;
}

export function qualified(metadata: Meta | undefined): string {
  return metadata?.namespace ? `${metadata.namespace}/${metadata.name}` : `${metadata?.name}`;
}

export function refOf({ apiVersion = "", kind = "", metadata }: KubeObject): Ref {
  return { apiVersion, kind, metadata: { name: metadata?.name ?? "", namespace: metadata?.namespace ?? "" } };
}
