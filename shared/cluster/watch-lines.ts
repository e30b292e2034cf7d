import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { unreachable } from "./api-errors.ts";
import type { Transport } from "./transport.ts";

/** Seconds after which the API server is asked to end a watch, so that one whose connection is dead without a word is known by its silence. */
export const WATCH_SECONDS = 120;
const SILENT_MS = (WATCH_SECONDS + 30) * 1000;

/** The lines of an answer that goes on, as they come. A refusal is one line with its status, of the type ERROR. */
export async function* watchLines(
  transport: Transport,
  path: string,
  signal: AbortSignal,
  opened: () => void,
): AsyncGenerator<string> {
  const { agent, headers } = await transport.dial(signal);
  const send = transport.server.protocol === "https:" ? httpsRequest : httpRequest;
  const sent = { accept: "application/json", "user-agent": "keyway", ...headers };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = send(transport.at(path), { agent, headers: sent, signal, timeout: SILENT_MS }, resolve);
    request.on("timeout", () => request.destroy(new Error("the watch is silent")));
    request.on("error", (thrown) => reject(signal.aborted ? thrown : unreachable(thrown, transport.server.href)));
    request.end();
  });
  if (response.statusCode === 200) opened();
  response.setEncoding("utf8");
  let rest = "";
  for await (const part of response) {
    rest += part;
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    if (response.statusCode === 200) yield* lines.filter((line) => line !== "");
  }
  if (response.statusCode !== 200)
    yield JSON.stringify({ type: "ERROR", object: refusalOf(rest, response.statusCode) });
}

function refusalOf(body: string, code: number | undefined): object {
  try {
    return { ...JSON.parse(body), code };
  } catch {
    return { code, message: body };
  }
}
