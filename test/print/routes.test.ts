import { expect, test } from "vitest";
import { cellsOf, inReadingOrder, remaining } from "../../installer/print/routes.ts";
import { formatCondition, parseCondition } from "../../installer/route-words/condition.ts";
import { formatReference, parseReference } from "../../installer/route-words/reference.ts";

test.each([
  [7199, "1h 59m"],
  [7200, "2h"],
  [86_400 * 3 + 3600 * 4 + 61, "3d 4h"],
  [61, "1m 1s"],
  [59.9, "59s"],
  [0.4, "0s"],
  [0, "expired"],
  [-5, "expired"],
  [86_401, "1d"],
])("%d seconds are %s", (seconds, text) => {
  expect(remaining(seconds)).toBe(text);
});

test("what expires in the far future is told by its date", () => {
  const now = Date.UTC(2030, 0, 1) / 1000;
  expect(cellsOf({ expires: "2031-05-01T12:00:00Z" }, now)[4]).toBe("2031-05-01");
  expect(cellsOf({ expires: "2030-01-01T01:30:00Z" }, now)[4]).toBe("1h 30m");
});

test("routes are read by key and service, those without a key last", () => {
  const ids = [
    { id: "a", service: "z" },
    { id: "b", service: "reviews", key: "pr-2" },
    { id: "c", service: "reviews", key: "pr-1" },
    { id: "d", service: "details", key: "pr-2" },
  ];
  expect(inReadingOrder(ids).map(({ id }) => id)).toEqual(["c", "d", "b", "a"]);
});

test.each([
  "cookie:user=alice",
  "header:x-a^=b=c",
  "!query:q*=z",
  "path$=.html",
  "method!=GET",
  "caller",
  "!cookie:beta",
])("the condition %s is told as it is typed", (text) => {
  const condition = parseCondition(text);
  expect(condition).not.toBeInstanceOf(Error);
  expect(formatCondition(condition as never)).toBe(text);
});

test("a condition is told in the shortest way there is", () => {
  expect(formatCondition({ request: "path", exact: "/", not: false })).toBe("path=/");
  expect(formatCondition({ cookie: "a", present: true, not: true })).toBe("!cookie:a");
  expect(formatCondition({ cookie: "a", present: false, not: true })).toBe("cookie:a");
});

test.each(["reviews:9080", "ratings.shop@v2", "cluster:outbound|80|v1|a@b"])("%s is told as it is typed", (text) => {
  expect(formatReference(parseReference(text))).toBe(text);
});
