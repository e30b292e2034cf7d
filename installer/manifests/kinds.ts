// The two kinds of object that an installation consists of.
import type { IWasmPlugin } from "@kubernetes-models/istio/extensions.istio.io/v1alpha1/WasmPlugin";
import type { IEnvoyFilter } from "@kubernetes-models/istio/networking.istio.io/v1alpha3/EnvoyFilter";
import type { Ref } from "../../shared/cluster/object.ts";

export function pluginRef(namespace: string, name: string): Ref {
  return { apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata: { name, namespace } };
}

export function filterRef(namespace: string, name: string): Ref {
  return { apiVersion: "networking.istio.io/v1alpha3", kind: "EnvoyFilter", metadata: { name, namespace } };
}

export type { IEnvoyFilter, IWasmPlugin };
