// Links whose key is signed, at an edge that takes signed keys alone.
import { expect, test } from "vitest";
import { hmac, signed } from "./edge-keys.ts";
import { NOW } from "./generate.ts";
import { proxyWith } from "./module.ts";

const ours = hmac("ours");
const routes = [{ from: "*", key: "pr-42", to: "sandbox" }];

function visits(edge: object) {
  const { envoy, filter } = proxyWith({ link: true, routes, edge, emit: ["header:x-routing-key"] });
  envoy.process.clusters.set("sandbox", true).set("reviews", true);
  return (headers: Record<string, string>) => {
    const { outcome, exchange, end } = filter.open({ headers });
    end();
    const cookie = exchange.state
      .get("keyway_link")
      ?.toString()
      .replace(/; Max.*/, "");
    return { cluster: outcome.cluster, cookie, key: exchange.headers.first("x-routing-key") };
  };
}
const path = (value: string) => ({ ":path": `/?keyway=${encodeURIComponent(value)}` });

test.each([false, true])(
  "a signed key in a link sticks as it is signed, and is verified again; unwrap: %s",
  (unwrap) => {
    const visit = visits({ accept: "signed", keys: [ours.entry], unwrap });
    const token = signed(ours, "pr-42");
    const key = unwrap ? "pr-42" : token;
    expect(visit(path(token))).toEqual({ cluster: "sandbox", cookie: `keyway=${token}`, key });
    expect(visit({ cookie: `keyway=${token}` })).toEqual({ cluster: "sandbox", cookie: undefined, key });
    expect(visit({ ...path(""), cookie: `keyway=${token}` })).toEqual({
      cluster: "reviews",
      cookie: "keyway=",
      key: undefined,
    });
  },
);

test.each([
  ["a plain key", "pr-42"],
  ["one that has ended", signed(ours, "pr-42", { expires: NOW - 1 })],
  ["one that somebody else has signed", signed(hmac("ours"), "pr-42")],
  ["one of an unknown key", signed(ours, "pr-42", { id: "theirs" })],
  ["one that was changed", signed(ours, "pr-42").replace("pr-42", "pr-43")],
])("%s in a link sets nothing, and the cookie that is there counts", (_, value) => {
  const visit = visits({ accept: "signed", keys: [ours.entry] });
  expect(visit(path(value))).toEqual({ cluster: "reviews", cookie: undefined, key: undefined });
  const token = signed(ours, "pr-42");
  expect(visit({ ...path(value), cookie: `keyway=${token}` })).toEqual({
    cluster: "sandbox",
    cookie: undefined,
    key: token,
  });
});

// The configuration is refused, and what its edge asks for is done all the same.
test("a link means nothing where no keys are taken from outside", () => {
  const visit = visits({ accept: "none" });
  const nothing = { cluster: "reviews", cookie: undefined, key: undefined };
  for (const value of ["pr-42", signed(ours, "pr-42")]) expect(visit(path(value))).toEqual(nothing);
});
