import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { verifySignature } from "../../installer/keys/verify.ts";
import { explain } from "../../routes/deciding/explain.ts";
import { parseConfiguration } from "../../routes/reading/configuration.ts";
import { hmac, signed } from "../host/edge-keys.ts";
import { withPseudoHeaders } from "../host/emulator/slot.ts";
import { configuration, NOW, request, targets } from "../host/generate.ts";
import { proxyWith } from "../host/module.ts";
import { check } from "../property.ts";

test("explains any request in the words of the module itself", () => {
  check(
    [configuration, fc.array(request, { minLength: 1, maxLength: 10 })],
    (table, requests) => {
      const { envoy, filter } = proxyWith({ ...table, explain: true });
      for (const name of targets) envoy.process.clusters.set(name, true);
      const parsed = parseConfiguration(table);
      for (const asked of requests) {
        const answer = filter.request({ ...asked, headers: [...asked.headers, ["x-keyway-explain", "1"]] });
        const input = { ...asked, headers: withPseudoHeaders(asked.headers), now: NOW };
        expect(explain(parsed, input)).toEqual(JSON.parse(answer.local?.body ?? "null"));
      }
    },
    200,
  );
});

describe("why a key from outside does not count", () => {
  const ours = hmac("ours");
  const good = signed(ours, "pr-1");
  const REFUSED: [string, string, string][] = [
    [
      "forged",
      `${good.slice(0, -4)}AAAA`,
      "a signed key does not count: its signature is not that of the key that it names",
    ],
    [
      "signed by somebody else",
      signed(hmac("ours"), "pr-1"),
      "a signed key does not count: its signature is not that of the key that it names",
    ],
    ["expired", signed(ours, "pr-1", { expires: NOW - 1 }), "a signed key does not count: its time is over"],
    [
      "of an unknown key",
      signed(ours, "pr-1", { id: "theirs" }),
      "a signed key does not count: the key that it names is not among edge.keys",
    ],
    [
      "for another service",
      signed(ours, "pr-1", { services: "ratings" }),
      "a signed key does not count: it is for other services",
    ],
  ];
  const routes = [{ from: "*", key: "pr-1", to: "t" }];
  const explained = (edge: object, headers: [string, string][]) => {
    const input = { headers: withPseudoHeaders(headers), cluster: "reviews", now: NOW, verify: verifySignature };
    return explain(
      parseConfiguration({ routes, edge, keys: ["header:x-routing-key", "host:.preview.example"] }),
      input,
    );
  };

  describe.each([false, true])("where any key is accepted, in the words of the module; unwrap: %s", (unwrap) => {
    const edge = { accept: "any", keys: [ours.entry], unwrap };
    const { envoy, filter } = proxyWith({ routes, edge, explain: true });
    envoy.process.clusters.set("t", true);

    test.each(REFUSED)("one that is %s", (_, text, why) => {
      const headers: [string, string][] = [["x-routing-key", text]];
      const answer = filter.request({ cluster: "reviews", headers: [...headers, ["x-keyway-explain", "1"]] });
      const said = JSON.parse(answer.local?.body ?? "null");
      expect(said).toMatchObject({ key: null, to: null, why });
      expect(explained(edge, headers)).toEqual(said);
      expect(JSON.stringify(said)).not.toContain(text.split("~").at(-1));
    });

    test("of several the first is told, and of the next request nothing is left", () => {
      const [, , why] = REFUSED[2] as [string, string, string];
      const headers: [string, string][] = [["x-routing-key", `${REFUSED[2]?.[1]},${REFUSED[0]?.[1]}`]];
      const ask = (own: [string, string][]) =>
        JSON.parse(
          filter.request({ cluster: "reviews", headers: [...own, ["x-keyway-explain", "1"]] }).local?.body ?? "",
        );
      expect([ask(headers).why, explained(edge, headers).why]).toEqual([why, why]);
      for (const [own, next] of [
        [[], "no key in any source"],
        [[["x-routing-key", "a;b"]], "what stands in a source is no key"],
        [[["x-routing-key", "pr-2"]], "no route in force for this key and baseline"],
      ] as [[string, string][], string][])
        expect([ask(own).why, explained(edge, own).why]).toEqual([next, next]);
    });
  });

  test.each(REFUSED)("where signed keys alone are: one that is %s", (_, text, why) => {
    const edge = { accept: "signed", keys: [ours.entry] };
    expect(explained(edge, [["x-routing-key", text]])).toMatchObject({ key: null, to: null, why });
  });

  test("plain keys are told where none or signed ones alone are accepted", () => {
    const plain: [string, string][] = [["x-routing-key", "pr-1"]];
    const host: [string, string][] = [[":authority", "pr-1.preview.example"]];
    const signedAlone = { accept: "signed", keys: [ours.entry] };
    for (const headers of [plain, host])
      expect(explained(signedAlone, headers)).toMatchObject({
        to: null,
        why: "a plain key does not count: the edge accepts signed keys alone",
      });
    for (const headers of [plain, [["x-routing-key", good]] as typeof plain])
      expect(explained({ accept: "none" }, headers)).toMatchObject({
        to: null,
        why: "a key does not count: the edge accepts none",
      });
  });
});
