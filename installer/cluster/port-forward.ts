import { get } from "node:http";
import { Duplex, PassThrough } from "node:stream";
import { KeywayError, reason } from "../cli/errors.ts";
import { explainApi } from "./api-errors.ts";
import type { Cluster } from "./cluster.ts";

export interface PodPort {
  namespace: string;
  pod: string;
  port: number;
}

export interface Answer {
  status: number;
  body: string;
}

/** GET over a port-forward to a pod, made by the API server and the node's kubelet: reaches what listens on 127.0.0.1 there. */
export async function getFromPod(cluster: Cluster, at: PodPort, path: string, signal: AbortSignal): Promise<Answer> {
  const { PortForward } = await import("@kubernetes/client-node");
  const sent = new PassThrough();
  const received = new PassThrough();
  const refusals = new PassThrough();
  const where = `pod ${at.namespace}/${at.pod}, port ${at.port}`;
  const socket = await new PortForward(cluster.config)
    .portForward(at.namespace, at.pod, [at.port], received, refusals, sent)
    .catch((thrown: unknown) => {
      throw explainForward(thrown, cluster, where);
    });
  if (typeof socket === "function") throw new Error("a port-forward that restarts itself was not asked for");
  const refused = new Promise<never>((_, reject) => {
    refusals.once("data", (said) => reject(new KeywayError(`the proxy does not answer: ${said}`, { where })));
    socket.onclose = () => reject(new KeywayError("the connection to the proxy was cut", { where }));
  });
  try {
    return await Promise.race([
      refused,
      exchange(Duplex.from({ readable: received, writable: sent }), path, where, signal),
    ]);
  } finally {
    refused.catch(() => {});
    socket.close();
  }
}

function exchange(connection: Duplex, path: string, where: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(new KeywayError(`the proxy does not answer: ${reason(cause)}`, { where, cause }));
    get({ path, host: "127.0.0.1", createConnection: () => connection, signal }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("error", fail);
      answer.on("end", () => {
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString() });
      });
    }).on("error", fail);
  });
}

/** The WebSocket client tells the API server's refusal only in its message. */
function explainForward(thrown: unknown, cluster: Cluster, where: string): KeywayError {
  const said = (thrown as { message?: string }).message ?? reason(thrown);
  const code = Number(/response: (\d{3})/.exec(said)?.[1]);
  if (Number.isNaN(code)) return explainApi(new Error(said), cluster.server, `forward a port of ${where}`);
  const refusal = Object.assign(new Error(`pods/portforward: ${said}`), { code });
  return explainApi(refusal, cluster.server, `create pods/portforward to ${where}`);
}
