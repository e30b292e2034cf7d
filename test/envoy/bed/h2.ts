// One HTTP/2 connection with prior knowledge, as a mesh or a gRPC client opens it.
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from "node:http2";
import type { Echo } from "../../../scripts/proxy/upstream.ts";

export type H2 = {
  session: ClientHttp2Session;
  /** What the service saw of one request on the connection. */
  ask: (headers?: OutgoingHttpHeaders) => Promise<{ status: number; echo: Echo | undefined }>;
  close: () => void;
};

export function h2(port: number): H2 {
  const session = connect(`http://127.0.0.1:${port}`);
  const ask: H2["ask"] = (headers = {}) =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ":path": "/", ...headers });
      let status = 0;
      let served = false;
      stream.on("error", reject).on("response", (answer) => {
        status = Number(answer[":status"]);
        served = "x-service" in answer;
      });
      stream
        .toArray()
        .then((chunks) => resolve({ status, echo: served ? JSON.parse(Buffer.concat(chunks).toString()) : undefined }))
        .catch(reject);
    });
  return { session, ask, close: () => session.destroy() };
}
