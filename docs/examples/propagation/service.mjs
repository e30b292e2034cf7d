// A service that calls the next one, and tells who has answered on the way. What it hands on of a request's headers is for FORWARD to say: all
// (`*`), some (`traceparent,x-request-id`), or none.
import { request as call, createServer } from "node:http";

const { NAME, NEXT, FORWARD = "", PORT = "8080" } = process.env;
const ofOneConnection = ["host", "connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "te"];
const isHandedOn = (name) => (FORWARD === "*" ? !ofOneConnection.includes(name) : FORWARD.split(",").includes(name));

// Node's own five seconds would close connections just as the proxy sends a request on them.
createServer({ keepAliveTimeout: 0 }, async (request, response) => {
  const own = { service: NAME, key: request.headers["x-routing-key"] ?? null };
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => isHandedOn(name)));
  try {
    const next = NEXT ? await ask(NEXT, headers) : [];
    response.setHeader("content-type", "application/json").end(`${JSON.stringify([own, ...next])}\n`);
  } catch (error) {
    response.writeHead(502).end(`${NAME}: ${error.message}\n`);
  }
}).listen(Number(PORT));

function ask(url, headers) {
  return new Promise((resolve, reject) => {
    call(url, { headers }, async (answer) => {
      try {
        const text = (await answer.toArray()).join("");
        if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}: ${text}`);
        resolve(JSON.parse(text));
      } catch (error) {
        reject(error);
      }
    })
      .on("error", reject)
      .end();
  });
}
