// `edge`, offline: the same is left of a request, and the same is decided, as by the module.
import fc from "fast-check";
import { expect, test } from "vitest";
import { verifySignature } from "../../installer/keys/verify.ts";
import { decide } from "../../routes/deciding/decide.ts";
import { guarded } from "../../routes/deciding/edge.ts";
import { candidates } from "../../routes/deciding/scan.ts";
import type { Edge } from "../../routes/model/edge.ts";
import { sourcesOf } from "../../routes/model/sources.ts";
import { parseConfiguration } from "../../routes/reading/configuration.ts";
import { ecdsa, hmac, signed } from "../host/edge-keys.ts";
import type { Pairs } from "../host/emulator/headers.ts";
import { withPseudoHeaders } from "../host/emulator/slot.ts";
import { configuration, NOW, request, targets } from "../host/generate.ts";
import { proxyWith } from "../host/module.ts";
import { decisionOf } from "../host/observe.ts";
import { check } from "../property.ts";

const ours = hmac("ours");
const public_ = ecdsa("public");
const GOOD = [signed(ours, "pr-1"), signed(public_, "pr-1", { services: "reviews.demo+ratings" })];
const FORGED = signed(hmac("ours"), "alice");
/** What stands for some of the keys of the random requests. */
const TEXTS: Record<string, string> = {
  "pr-1": GOOD[0] as string,
  "PR-1": GOOD[1] as string,
  alice: FORGED,
  "a-b-c": signed(ours, "a-b-c", { expires: NOW }),
  "pr-1.x.y": signed(ours, "pr-1.x.y", { id: "theirs" }),
};
/** With one forged key at most, since a proxy looks at a few bad signatures of a request only. */
function withSigned(headers: Pairs): Pairs {
  let forged = 0;
  return headers.map(([name, value]) => {
    if (name === "x-keyway-routed" || name === ":authority") return [name, value];
    const text = value.replace(/pr(-|%2D)1(\.x\.y)?\b|PR(-|%2D)1\b|alice|a(-|%2D)b(-|%2D)c/g, (found) => {
      const token = TEXTS[found.replaceAll("%2D", "-")] ?? found;
      return token === FORGED && ++forged > 1 ? found : token;
    });
    return [name, text];
  });
}

const keys = [ours.entry, public_.entry];
const edge: fc.Arbitrary<Edge> = fc.oneof(
  fc.constant({ accept: "none" as const }),
  fc.record(
    { accept: fc.constantFrom("signed", "any"), keys: fc.constant(keys), unwrap: fc.boolean() },
    { requiredKeys: ["accept", "keys"] },
  ),
);

test("decides any request as the module does, and leaves of it what the module leaves", () => {
  let signedRoutes = 0;
  const emit = ["header:x-user", "cookie:user"];
  const asked = fc.array(request, { minLength: 1, maxLength: 5 });
  check(
    [configuration, edge, fc.boolean(), asked],
    (table, edge, linking, requests) => {
      const linked = linking && edge.accept !== "none";
      const others = table.routes.filter(({ from, key }) => from !== "*" || key !== "pr-1");
      const routes = [...others, { from: "*", key: "pr-1", to: "everything" }];
      const config = {
        ...table,
        routes,
        edge,
        emit,
        explain: false,
        ...(linked && { link: { query: "k", cookie: "user" } }),
      };
      const { envoy, filter } = proxyWith(config);
      for (const name of targets) envoy.process.clusters.set(name, true);
      const parsed = parseConfiguration(config);
      for (const one of requests) {
        const headers = withSigned(one.headers);
        const input = { ...one, headers: withPseudoHeaders(headers), now: NOW, verify: verifySignature };
        const { outcome, key, to } = decide(parsed, input);
        const passed = filter.request({ ...one, headers });
        const real = decisionOf(passed);
        // A link goes to its baseline as if that were a target, so that the answer sets the cookie.
        if (linked && real.to === one.cluster) expect([outcome === "routed", key]).toEqual([false, real.key]);
        else expect({ outcome, key, to }).toEqual(real);
        if (outcome === "routed" && key && edge.accept === "signed") signedRoutes++;
        const cleaned = guarded(parsed, input).headers;
        for (const source of (config.keys ?? []).flatMap(sourcesOf)) {
          const found = (pairs: Pairs) => candidates(source, pairs, one.cluster ?? "");
          expect(found(passed.headers)).toEqual(found([...cleaned] as Pairs));
        }
      }
    },
    600,
  );
  expect(signedRoutes).toBeGreaterThan(10);
});
