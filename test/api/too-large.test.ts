// What proxies could not take is refused where it is written.
import { expect, test } from "vitest";
import { Poller } from "./poller.ts";
import { sent, startServer } from "./serve.ts";

const long = (at: number) => [{ header: "x-text", exact: `${at}`.padEnd(1000, "x") }];

test("rules that are together more than an answer are refused, and what fits comes to proxies", async () => {
  const { url, ask } = await startServer();
  const apply = (from: number, to: number) => {
    const set = Array.from({ length: to - from }, (_, at) => ({
      id: `r-${from + at}`,
      service: "reviews.demo:9080",
      when: long(from + at),
      to: "t",
    }));
    return ask("/v1/routes:apply", sent("POST", { set }));
  };
  const refused = await apply(0, 1000);
  expect(refused).toMatchObject({
    status: 413,
    body: { error: { code: "too_large", details: [{ path: expect.stringMatching(/^set\[\d+\]$/) }] } },
  });
  expect(refused.body.error.message).toMatch(
    /^the routes without a key would have 39\d{4} bytes together .*, and may have 393216; delete some/,
  );
  expect((await ask("/v1/routes")).body).toEqual({ routes: [], revision: 0 });
  const fits = Number(/\d+/.exec(refused.body.error.details[0].path)?.[0]);
  expect((await apply(0, fits)).status).toBe(200);
  const single = { service: "reviews.demo:9080", when: long(5000), to: "t" };
  const one = await ask("/v1/routes/one", sent("PUT", single));
  expect([one.status, one.body.error.details[0].path]).toEqual([413, ""]);
  for (const scope of ["", "outbound:demo", "demo/reviews"]) await new Poller(url, scope).settle();
  // What takes no more than before is no more.
  expect((await ask("/v1/routes/r-0", sent("PUT", { ...single, to: "u" }))).status).toBe(200);
  expect((await ask("/v1/routes/r-1:renew", sent("POST", { ttl: "1h" }))).status).toBe(200);
  expect(
    (await ask("/v1/routes:apply", sent("POST", { set: [{ ...single, id: "one" }], delete: ["r-2"] }))).status,
  ).toBe(200);
});

test("routes of one key that are together more than an answer are refused, and what fits comes to proxies", async () => {
  const { url, ask } = await startServer();
  const routesFor = (count: number) =>
    Array.from({ length: count }, (_, at) => ({
      id: `r-${at}`,
      service: `s-${at}.demo:9080`,
      key: "pr-42",
      to: `s-${at}-pr-42`,
    }));
  const others = Array.from({ length: 500 }, (_, at) => ({
    id: `o-${at}`,
    service: "reviews",
    key: `k-${at}`,
    to: "t",
  }));
  const refused = await ask("/v1/routes:apply", sent("POST", { set: [...others, ...routesFor(6000)] }));
  expect(refused.status).toBe(413);
  expect(refused.body.error.message).toMatch(/^the routes of the key pr-42 would have \d+ bytes together/);
  const fits = Number(/\d+/.exec(refused.body.error.details[0].path)?.[0]) - others.length;
  expect((await ask("/v1/routes:apply", sent("POST", { set: [...others, ...routesFor(fits)] }))).status).toBe(200);
  for (const scope of ["", "outbound:demo"]) await new Poller(url, scope).settle();
  expect(
    (await ask("/v1/routes/more", sent("PUT", { service: "more.demo:9080", key: "pr-42", to: "more-pr-42" }))).status,
  ).toBe(413);
  expect(
    (await ask("/v1/routes/more", sent("PUT", { service: "more.demo:9080", key: "pr-7", to: "more-pr-7" }))).status,
  ).toBe(201);
});
