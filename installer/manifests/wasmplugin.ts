import { PLUGIN_NAME } from "../../routes/model/names.ts";
import type { Installation, Mode, Scope } from "./installation.ts";
import type { IWasmPlugin } from "./kinds.ts";
import {
  CACHEABLE_ANNOTATION,
  INSTALLATION_LABEL,
  INSTANCE_LABEL,
  MANAGED_BY_LABEL,
  MODE_ANNOTATION,
  SERVED_ANNOTATION,
  VERSION_VARIABLE,
} from "./names.ts";

/** The side of a proxy, in a WasmPlugin's words. */
const matched = {
  inbound: "SERVER",
  outbound: "CLIENT",
  both: "CLIENT_AND_SERVER",
  gateway: "CLIENT",
} as const satisfies Record<Mode, string>;

/** The plugin that brings the module and its routes to the proxies. Pure: the same installation, the same object. */
export function wasmPlugin(installation: Installation): IWasmPlugin {
  const { mode, module, phase, pullSecret, config, version, failStrategy, priority, scope } = installation;
  return {
    apiVersion: "extensions.istio.io/v1alpha1",
    kind: "WasmPlugin",
    metadata: ownedMetadata(installation),
    spec: {
      ...scopeFields(scope),
      url: module,
      sha256: module.slice(module.lastIndexOf(":") + 1),
      imagePullPolicy: "IfNotPresent",
      ...(pullSecret === undefined ? {} : { imagePullSecret: pullSecret }),
      pluginName: PLUGIN_NAME,
      failStrategy,
      ...(phase === undefined ? {} : { phase }),
      priority,
      match: [{ mode: matched[mode] }],
      // The routes of the EnvoyFilter add the hop mark.
      pluginConfig: { ...config, hopMark: "route" },
      vmConfig: { env: [{ name: VERSION_VARIABLE, value: String(version) }] },
    },
  };
}

type Named = Pick<Installation, "name" | "namespace" | "mode" | "served" | "cacheable">;

export function ownedMetadata({ name, namespace, mode, served, cacheable }: Named) {
  return {
    name,
    namespace,
    labels: { [INSTALLATION_LABEL]: name, [MANAGED_BY_LABEL]: "keyway", [INSTANCE_LABEL]: name },
    annotations: {
      [MODE_ANNOTATION]: mode,
      ...(served !== undefined && { [SERVED_ANNOTATION]: String(served) }),
      ...(cacheable && { [CACHEABLE_ANNOTATION]: "true" }),
    },
  };
}

function scopeFields(scope: Scope): Pick<NonNullable<IWasmPlugin["spec"]>, "selector" | "targetRefs"> {
  if ("gateway" in scope) return { targetRefs: [gatewayRef(scope.gateway)] };
  return Object.keys(scope.labels).length === 0 ? {} : { selector: { matchLabels: scope.labels } };
}

export function gatewayRef(name: string) {
  return { group: "gateway.networking.k8s.io", kind: "Gateway", name };
}
