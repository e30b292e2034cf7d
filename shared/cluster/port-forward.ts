import { get, type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { KeywayError, reason } from "../errors.ts";
import { withLimit } from "../net/limit.ts";
import { ApiError, isCut, unreachable } from "./api-errors.ts";
import type { Cluster } from "./cluster.ts";

export interface PodPort {
  namespace: string;
  pod: string;
  port: number;
}

export interface PodAnswer {
  status: number;
  body: string;
}

/** Milliseconds without a byte from the pod: what listens there answers at once, and the answer may be large. */
const QUESTION_LIMIT = 5_000;
const TRIES = 3;
const PAUSE = 250; // ms between two tries

// The API's port-forward over WebSocket: the first byte of a frame is its channel, and the first frame of each channel the port.
const DATA = 0;
const REFUSAL = 1;
const PROTOCOL = "v4.channel.k8s.io";

/** The pod can be reached, and what should listen there does not answer: its process is stopped, or does not run. */
export class PodDoesNotAnswer extends KeywayError {
  /** What the kubelet says. */
  readonly said: string;

  constructor(said: string, where: string) {
    super(`nothing answers in the pod: ${said}`, { where });
    this.said = said;
  }
}

/** GET over a port-forward to a pod, made by the API server and the node's kubelet: reaches what listens on 127.0.0.1 there. */
export async function getFromPod(cluster: Cluster, at: PodPort, path: string, signal: AbortSignal): Promise<PodAnswer> {
  const where = `pod ${at.namespace}/${at.pod}, port ${at.port}`;
  const dialed = await cluster.transport.dial(signal);
  const limit = { ms: QUESTION_LIMIT, signal, who: `pod ${at.namespace}/${at.pod}`, where: `port ${at.port}, ${path}` };
  return withLimit(limit, async (ended, alive) => {
    for (let attempt = 1; ; attempt++) {
      const socket = dial(cluster, at, dialed);
      // Before it is open, since the first frames come with the answer that opens it.
      const connection = tunnel(socket, where);
      socket.on("message", alive);
      try {
        await opened(socket, cluster, where, ended);
        return await exchange(connection, path, where, ended);
      } catch (thrown) {
        if (attempt === TRIES || ended.aborted || !mayPass(thrown)) throw thrown;
        await pause(PAUSE, undefined, { signal: ended });
      } finally {
        socket.terminate();
      }
    }
  });
}

/** Whether the API server may let the same connection through a little later. */
function mayPass(thrown: unknown): boolean {
  if (thrown instanceof ApiError) return thrown.code === 429 || thrown.code === 503;
  return thrown instanceof Error && isCut(thrown.cause);
}

function dial(
  { transport }: Cluster,
  { namespace, pod, port }: PodPort,
  dialed: Awaited<ReturnType<Cluster["transport"]["dial"]>>,
): WebSocket {
  const url = transport.at(`/api/v1/namespaces/${namespace}/pods/${pod}/portforward?ports=${port}`);
  url.protocol = url.protocol.replace("http", "ws");
  return new WebSocket(url, PROTOCOL, { ...dialed, headers: dialed.headers as Record<string, string> });
}

function opened(socket: WebSocket, { server, options }: Cluster, where: string, signal: AbortSignal): Promise<void> {
  const stop = () => socket.terminate();
  signal.addEventListener("abort", stop, { once: true });
  return new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.on("error", (cause) => reject(unreachable(cause, server)));
    socket.once("unexpected-response", (_, response: IncomingMessage) => {
      const doing = `create pods/portforward to ${where}`;
      const { rightsHint } = options;
      const refused = (body: string) =>
        reject(new ApiError({ code: response.statusCode ?? 0, body, server, doing, rightsHint }));
      text(response).then(refused, reject);
    });
  }).finally(() => signal.removeEventListener("abort", stop));
}

/** The connection to the pod's port as a stream of its own. */
function tunnel(socket: WebSocket, where: string): Duplex {
  const portSeen = new Set<number>();
  const stream = new Duplex({
    read() {},
    write(piece: Buffer, _, done) {
      socket.send(Buffer.concat([Buffer.from([DATA]), piece]), done);
    },
    final(done) {
      done();
    },
  });
  // Whoever uses the stream looks at it when the connection is open; until then nobody listens.
  stream.on("error", () => {});
  socket.on("message", (frame: Buffer) => {
    const channel = frame[0] ?? 0;
    const begins = portSeen.has(channel) ? 1 : 3;
    portSeen.add(channel);
    const said = frame.subarray(begins);
    if (said.length === 0) return;
    if (channel === DATA) stream.push(said);
    else if (channel === REFUSAL) stream.destroy(new PodDoesNotAnswer(`${said}`, where));
  });
  socket.on("close", () => stream.destroy(new KeywayError("the connection to the pod was cut", { where })));
  return stream;
}

function exchange(connection: Duplex, path: string, where: string, signal: AbortSignal): Promise<PodAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => {
      const known = cause instanceof KeywayError;
      reject(known ? cause : new KeywayError(`the connection to the pod broke: ${reason(cause)}`, { where, cause }));
    };
    if (connection.errored) return fail(connection.errored);
    connection.on("error", fail);
    const options = { path, host: "127.0.0.1", headers: { connection: "close" }, signal };
    get({ ...options, createConnection: () => connection }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), fail);
    }).on("error", fail);
  });
}
