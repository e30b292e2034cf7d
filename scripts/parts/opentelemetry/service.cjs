// A service as anybody writes it, which knows neither tracing nor Keyway: it calls the next one, and hands its answer back.
const { createServer, request: call } = require("node:http");

const { PORT, NEXT } = process.env;

createServer((request, response) => {
  request.resume();
  call(`${NEXT}${request.url}`, (answer) => {
    response.writeHead(answer.statusCode, { "content-type": "application/json" });
    answer.pipe(response);
  })
    .on("error", (error) => response.writeHead(502).end(String(error)))
    .end();
}).listen(Number(PORT), "127.0.0.1");
