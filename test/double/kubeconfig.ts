import type { ApiServer } from "./api-server.ts";
import { certificate } from "./tls.ts";

/** The text of a kubeconfig for the double; `user` and `cluster` add what a test is about. */
export function kubeconfig(
  { url }: Pick<ApiServer, "url">,
  user: object = { token: "secret" },
  cluster: object = {},
): string {
  const authority = { "certificate-authority-data": Buffer.from(certificate.cert).toString("base64") };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "double",
    contexts: [{ name: "double", context: { cluster: "double", user: "me", namespace: "demo" } }],
    clusters: [{ name: "double", cluster: { server: url, ...(url.startsWith("https") && authority), ...cluster } }],
    users: [{ name: "me", user }],
  });
}
