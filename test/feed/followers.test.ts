// Proxies that follow their tables at several servers are counted once.
import { expect, test } from "vitest";
import { type Follower, withoutMoved } from "../../server/feed/followers.ts";

const NOW = 100_000;

/** Times are milliseconds ago; who was not answered waits for an answer. */
function follower(came: number, answered?: number, more: Partial<Follower> = {}): Follower {
  return {
    address: "10.0.0.1:1",
    scope: "",
    digest: "d",
    cameAt: NOW - came,
    answeredAt: answered === undefined ? undefined : NOW - answered,
    ...more,
  };
}

test.each<[string, Follower[][], number[]]>([
  ["one that asks is there", [[follower(9000)], []], [1, 0]],
  ["one that was answered here and has come there since is there", [[follower(9000, 500)], [follower(490)]], [0, 1]],
  ["so it is where it was answered there, too", [[follower(9000, 500)], [follower(490, 5)]], [0, 1]],
  [
    "one that has gone on to a third server is there",
    [[follower(9000, 800)], [follower(790, 400)], [follower(390)]],
    [0, 0, 1],
  ],
  ["one that has come back is where it was", [[follower(390)], [follower(800, 400)]], [1, 0]],
  ["two that ask are two", [[follower(9000)], [follower(490)]], [1, 1]],
  ["one that was there all the while is another one", [[follower(9000, 5)], [follower(8000)]], [1, 1]],
  [
    "whoever has come is one of those that have moved",
    [[follower(9000, 500), follower(9000, 500)], [follower(490)]],
    [1, 1],
  ],
  [
    "both have moved where both have come",
    [
      [follower(9000, 500), follower(9000, 500)],
      [follower(490), follower(400)],
    ],
    [0, 2],
  ],
  [
    "one of another host is another one",
    [[follower(9000, 500)], [follower(490, undefined, { address: "10.0.0.2:1" })]],
    [1, 1],
  ],
  ["its port does not matter", [[follower(9000, 500)], [follower(490, undefined, { address: "10.0.0.1:2" })]], [0, 1]],
  [
    "nor does it where the host is of IPv6",
    [[follower(9000, 500, { address: "[fd00::1]:1" })], [follower(490, undefined, { address: "[fd00::1]:2" })]],
    [0, 1],
  ],
  [
    "one of another scope is another one",
    [[follower(9000, 500)], [follower(490, undefined, { scope: "demo/reviews" })]],
    [1, 1],
  ],
  ["at one server it is for that server to say", [[follower(9000, 500), follower(490)]], [2]],
  [
    "one that fetches its table by turns is one",
    [[follower(3000)], [follower(3000, 2500, { digest: undefined })]],
    [1, 0],
  ],
  [
    "for as long as a pause may last it is two",
    [[follower(3000)], [follower(3000, 1500, { digest: undefined })]],
    [1, 1],
  ],
])("%s", (_, servers, left) => {
  expect(withoutMoved(servers, NOW).map(({ length }) => length)).toEqual(left);
});
