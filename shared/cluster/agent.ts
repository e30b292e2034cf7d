import { type Agent, Agent as HttpAgent } from "node:http";
import { type AgentOptions, Agent as HttpsAgent } from "node:https";
import { KeywayError } from "../errors.ts";
import { proxyBeyondLoopback } from "../net/proxy.ts";
import { type ClientCertificate, dataOrFile } from "./credentials.ts";
import type { Env } from "./kubeconfig.ts";
import type { ClusterEntry } from "./kubeconfig-file.ts";

/** What opens connections to an API server: directly or through a proxy, with the cluster's and the user's certificates. */
export async function agentFor(
  server: URL,
  cluster: ClusterEntry,
  certificate: ClientCertificate,
  env: Env,
): Promise<Agent> {
  const ca = await dataOrFile(cluster["certificate-authority-data"], cluster["certificate-authority"]);
  const options: AgentOptions = {
    keepAlive: true,
    ...certificate,
    ...(ca && { ca }),
    ...(cluster["tls-server-name"] && { servername: cluster["tls-server-name"] }),
    ...(cluster["insecure-skip-tls-verify"] && { rejectUnauthorized: false }),
  };
  const secure = server.protocol === "https:";
  const proxy = cluster["proxy-url"] ? proxyUrl(cluster["proxy-url"]) : proxyBeyondLoopback(server, env);
  if (proxy === undefined) return secure ? new HttpsAgent(options) : new HttpAgent({ keepAlive: true });
  if (proxy.protocol.startsWith("socks")) {
    const { SocksProxyAgent } = await import("socks-proxy-agent");
    return new SocksProxyAgent(proxy, options) as unknown as Agent;
  }
  const { HttpProxyAgent, HttpsProxyAgent } = await import("hpagent");
  return secure ? new HttpsProxyAgent({ ...options, proxy }) : new HttpProxyAgent({ keepAlive: true, proxy });
}

function proxyUrl(text: string): URL {
  if (URL.canParse(text) && /^(?:https?|socks5h?):$/.test(new URL(text).protocol)) return new URL(text);
  throw new KeywayError("the kubeconfig's proxy-url is no address of a proxy", {
    next: "write it like http://proxy.example.com:3128",
  });
}
