// Whatever is sent, there is one clear error in one form, and nothing half-written.
import { connect } from "node:net";
import { expect, test } from "vitest";
import { type Answer, reviews, sent, sharedServer, startServer } from "./serve.ts";

const shared = sharedServer();

function expectError({ status, headers, body }: Answer, wanted: number, code: string): void {
  expect([status, body?.error?.code], JSON.stringify(body)).toEqual([wanted, code]);
  expect(Object.keys(body)).toEqual(["error"]);
  expect(Object.keys(body.error)).toEqual(["code", "message", "details"]);
  expect(headers.get("content-type")).toBe("application/json");
}

test.each([
  ["/", 404],
  ["/v1", 404],
  ["/v1/route", 404],
  ["/v1/routes/", 404],
  ["/v2/routes", 404],
  ["/openapi.yaml", 404],
  ["/%ff", 404],
  ["/v1/routes:aply", 404],
])("GET %s is answered with %s", async (path, status) => {
  const { ask } = shared;
  expectError(await ask(path), status, "not_found");
});

test.each([
  ["POST", "/v1/routes", "GET, HEAD"],
  ["PATCH", "/v1/routes/a", "DELETE, GET, HEAD, PUT"],
  ["POST", "/v1/routes/a%2Fb", "DELETE, GET, HEAD, PUT"],
  ["GET", "/v1/routes:apply", "POST"],
  ["GET", "/v1/routes/a:renew", "POST"],
  ["PUT", "/v1/watch", "GET, HEAD"],
  ["DELETE", "/openapi.json", "GET, HEAD"],
  ["OPTIONS", "/v1/routes", "GET, HEAD"],
  ["POST", "/healthz", "GET, HEAD"],
  ["PUT", "/v1/table", "GET, HEAD"],
])("%s %s is not allowed, and Allow says what is", async (method, path, allow) => {
  const { ask } = shared;
  const answer = await ask(path, { method });
  expectError(answer, 405, "method_not_allowed");
  expect(answer.headers.get("allow")).toBe(allow);
});

test.each([
  ["limit=0", "limit"],
  ["limit=1001", "limit"],
  ["limit=-1", "limit"],
  ["limit=ten", "limit"],
  ["limit=1.5", "limit"],
  ["limit=", "limit"],
  ["limit=1e2", "limit"],
  ["limit=99999999999999999999", "limit"],
  ["limit=5&limit=6", "limit"],
  ["cursor=", "cursor"],
  ["cursor=nonsense", "cursor"],
  ["cursor=YWZ0ZXIg", "cursor"],
  [`cursor=${"x".repeat(2000)}`, "cursor"],
  ["lmit=5", "lmit"],
  ["key=", "key"],
  ["label=", "label[0]"],
  ["label==", "label[0]"],
  ["label=!team", "label[0]"],
  ["label=team!%3Da", "label[0]"],
  ["label=a&label=team%20in%20(a,b)", "label[1]"],
  ["__proto__=x", "__proto__"],
])("a list with %s is refused with the place", async (query, path) => {
  const { ask } = shared;
  const answer = await ask(`/v1/routes?${query}`);
  expectError(answer, 400, "invalid");
  expect(answer.body.error.details[0].path).toBe(path);
});

test.each([
  ["", "the body is empty; a JSON object is needed"],
  ["{", "not JSON: line 1, column 2: expected a name in double quotes or }"],
  ['{"service": "a",}', "not JSON: line 1, column 17: expected a name in double quotes"],
  ['{"service": "a"\n "key": "b"}', "not JSON: line 2, column 2: expected , or }"],
  ["{'service': 1}", "not JSON: line 1, column 2: expected a name in double quotes or }"],
  ['{"a": tru}', "not JSON: line 1, column 7: expected a value"],
  ['{"a": 01}', "not JSON: line 1, column 7: expected a value"],
  ['{"a": "\u0001"}', "not JSON: line 1, column 7: expected a value"],
  ["{} {}", "not JSON: line 1, column 4: expected the end"],
  ["service: reviews", "not JSON: line 1, column 1: expected a value"],
  ['{"a": [1, 2', "not JSON: line 1, column 12: expected , or ]"],
])("what is no JSON is refused with the place: %j", async (body, message) => {
  const { ask } = shared;
  const answer = await ask("/v1/routes/a", sent("PUT", body));
  expectError(answer, 400, "invalid");
  expect(answer.body.error.message).toBe(message);
  expectError(await ask("/v1/routes:apply", sent("POST", body)), 400, "invalid");
  expectError(await ask("/v1/explain", sent("POST", body)), 400, "invalid");
});

test("bytes that are no UTF-8 are refused", async () => {
  const { ask } = await startServer();
  const body = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
  expectError(await ask("/v1/routes/a", { method: "PUT", body }), 400, "invalid");
});

test.each<[unknown, string]>([
  [[], ""],
  [null, ""],
  [5, ""],
  ["text", ""],
  [{}, "service"],
  [{ service: "reviews" }, ""],
  [{ service: 5, key: "k", to: "t" }, "service"],
  [{ service: "", key: "k", to: "t" }, "service"],
  [{ service: "Reviews", key: "k", to: "t" }, "service"],
  [{ service: "reviews:99999", key: "k", to: "t" }, "service"],
  [{ service: "reviews", key: "a b", to: "t" }, "key"],
  [{ service: "reviews", key: "k".repeat(257), to: "t" }, "key"],
  [{ service: "reviews", key: ["k"], to: "t" }, "key"],
  [{ service: "reviews", key: "k" }, "to"],
  [{ service: "reviews", key: "k", to: "*" }, "to"],
  [{ service: "reviews", from: "reviews", key: "k", to: "t" }, ""],
  [{ from: "reviews", key: "k", to: { service: "t" } }, "to"],
  [{ from: "a\nb", key: "k", to: "t" }, "from"],
  [
    {
      service: "reviews",
      split: [
        { to: "a", weight: 60 },
        { to: "b", weight: 60 },
      ],
    },
    "split",
  ],
  [{ service: "reviews", when: [], to: "t" }, "when"],
  [{ service: "reviews", key: "k", to: "t", missing: "maybe" }, "missing"],
  [{ service: "reviews", key: "k", to: "t", owner: "" }, "owner"],
  [{ service: "reviews", key: "k", to: "t", owner: "o".repeat(257) }, "owner"],
  [{ service: "reviews", key: "k", to: "t", labels: [] }, "labels"],
  [{ service: "reviews", key: "k", to: "t", labels: { "a b": "x" } }, "labels.a b"],
  [{ service: "reviews", key: "k", to: "t", labels: { a: 5 } }, "labels.a"],
  [{ service: "reviews", key: "k", to: "t", revision: "x" }, "revision"],
  [{ service: "reviews", key: "k", to: "t", id: "b" }, "id"],
])("a route that can't be one is refused with the place: %j", async (route, path) => {
  const { ask } = shared;
  const answer = await ask("/v1/routes/a", sent("PUT", JSON.stringify(route)));
  expectError(answer, 400, "invalid");
  expect(answer.body.error.details[0].path).toBe(path);
  expect((await ask("/v1/routes")).body).toEqual({ routes: [], revision: 0 });
});

test("a field named __proto__ is an unknown field", async () => {
  const { ask } = await startServer();
  const bodies = [
    '{"service":"a","key":"k","to":"t","labels":{"__proto__":"x"}}',
    '{"__proto__":{"service":"a"},"key":"k","to":"t"}',
  ];
  for (const body of bodies) expectError(await ask("/v1/routes/a", sent("PUT", body)), 400, "invalid");
});

test("a body that is too large is refused with the limit, whether it says its size or not", async () => {
  const { ask } = await startServer({ maxBody: "2Ki" });
  const large = JSON.stringify({ ...reviews, owner: "o".repeat(3000) });
  const told = await ask("/v1/routes/a", sent("PUT", large));
  expectError(told, 413, "too_large");
  expect(told.body.error.message).toContain("2048 bytes");
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(large));
      controller.close();
    },
  });
  const untold = await ask("/v1/routes/a", { method: "PUT", body: stream, duplex: "half" } as RequestInit);
  expectError(untold, 413, "too_large");
  expect((await ask("/v1/routes/a", sent("PUT", reviews))).status).toBe(201);
});

test("a body that says it is something else than JSON is refused", async () => {
  const { ask } = await startServer();
  for (const type of ["application/yaml", "multipart/form-data; boundary=x", "image/png"]) {
    expectError(
      await ask("/v1/routes/a", sent("PUT", reviews, { "content-type": type })),
      415,
      "unsupported_media_type",
    );
  }
  expectError(
    await ask("/v1/routes/a", sent("PUT", reviews, { "content-encoding": "gzip" })),
    415,
    "unsupported_media_type",
  );
  for (const type of ["application/json; charset=utf-8", "text/plain", "application/merge-patch+json"]) {
    expect((await ask("/v1/routes/a", sent("PUT", reviews, { "content-type": type }))).status).toBeLessThan(300);
  }
});

test("a client that asks for problem details gets them beside Keyway's own form", async () => {
  const { ask } = await startServer();
  const { headers, body } = await ask("/v1/routes/nobody", { headers: { accept: "application/problem+json" } });
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(body).toMatchObject({
    type: "about:blank",
    title: "Not Found",
    status: 404,
    detail: "there is no route nobody",
  });
  expect(body.error).toEqual({ code: "not_found", message: "there is no route nobody", details: [] });
});

test.each([
  ["GET / HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n", 400],
  ["nonsense\r\n\r\n", 400],
  [`GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(20_000)}\r\n\r\n`, 431],
  ["GET /v1/routes HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", 400],
  ["GET /v1/routes HTTP/1.1\r\nHost: keyway\r\nConnection: close\r\n\r\n", 200],
  ["GET /v1/../v1/routes HTTP/1.1\r\nHost: keyway\r\nConnection: close\r\n\r\n", 200],
  ["GET \\ HTTP/1.1\r\nHost: keyway\r\nConnection: close\r\n\r\n", 400],
  ["PUT /v1/routes/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400],
])("on the wire: %j", async (request, status) => {
  const { url } = shared;
  const answer = await wire(url, request);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  if (status >= 400) expect(JSON.parse(answer.split("\r\n\r\n")[1] ?? "").error.message).not.toBe("");
});

function wire(url: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(request));
    let answer = "";
    socket.on("data", (piece) => {
      answer += piece;
    });
    socket.on("end", () => resolve(answer));
    socket.on("error", reject);
  });
}
