import type { V1ServicePort } from "@kubernetes/client-node";

/** Prefixes of port names, and values of appProtocol, that Istio reads as HTTP. */
const HTTP = /^(?:http|http2|grpc|grpc-web)(?:-|$)/i;
/** Kubernetes' own names of protocols, which stand in appProtocol alone; Istio reads these as HTTP. */
const STANDARD_HTTP = ["kubernetes.io/h2c", "kubernetes.io/ws"];

export function speaksHttp({ appProtocol, name }: Pick<V1ServicePort, "appProtocol" | "name">): boolean {
  return STANDARD_HTTP.includes(appProtocol ?? "") || HTTP.test(appProtocol ?? name ?? "");
}
