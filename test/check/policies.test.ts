import { afterEach, beforeEach, expect, test } from "vitest";
import { callerVerdict, type PolicyRule } from "../../installer/check/caller-rules.ts";
import { callersAdmitted } from "../../installer/check/callers.ts";
import { behindPolicies } from "../../installer/check/order.ts";
import { tokensSeen } from "../../installer/check/tokens.ts";
import { desired, type Fleet, startFleet } from "../installation/fleet.ts";
import { forbid, installation, put, resultOf, service } from "./bed.ts";

let fleet: Fleet;
beforeEach(async () => {
  fleet = await startFleet();
  service(fleet, "reviews-pr-42", { selector: { app: "reviews", version: "pr-42" } });
});
afterEach(() => fleet.close());

const SECURITY = "security.istio.io/v1";
const authorize = (name: string, spec: object) => put(fleet, SECURITY, "AuthorizationPolicy", name, spec);
const authenticate = (name: string, spec: object) => put(fleet, SECURITY, "RequestAuthentication", name, spec);
const from = (source: object) => [{ from: [{ source }] }];
const CALLER = "cluster.local/ns/demo/sa/caller";
const BASELINE = "cluster.local/ns/demo/sa/default";

test("a policy of the sandbox that goes by the caller is told, with both names", async () => {
  authorize("callers", { selector: { matchLabels: { app: "reviews" } }, rules: from({ principals: [CALLER] }) });
  expect(await resultOf(fleet, callersAdmitted)).toMatchObject({
    status: "warning",
    detail:
      "AuthorizationPolicy demo/callers: it allows other callers, so reviews-pr-42.demo refuses what demo/default sends on",
    hint: expect.stringContaining("--mode outbound"),
  });
  expect(await resultOf(fleet, callersAdmitted, installation({ mode: "outbound" }))).toMatchObject({ status: "ok" });
  // On both ways the baseline's proxy sends on what the routes of its own ports take.
  expect(await resultOf(fleet, callersAdmitted, installation({ mode: "both" }))).toMatchObject({ status: "warning" });
  expect(
    await resultOf(fleet, callersAdmitted, { ...installation({ mode: "both" }), config: desired.config }),
  ).toMatchObject({
    status: "ok",
  });
});

test.each<[string, object, "ok" | "warning"]>([
  [
    "admits the baseline too",
    { rules: [...from({ principals: [CALLER] }), ...from({ principals: [BASELINE] })] },
    "ok",
  ],
  ["admits the whole namespace", { rules: from({ namespaces: ["demo"] }) }, "ok"],
  ["admits another namespace", { rules: from({ namespaces: ["shop"] }) }, "warning"],
  ["does not ask for the caller", { rules: [{ to: [{ operation: { methods: ["GET"] } }] }] }, "ok"],
  ["is for other pods", { selector: { matchLabels: { app: "ratings" } }, rules: from({ principals: [CALLER] }) }, "ok"],
  ["denies all but the caller", { action: "DENY", rules: from({ notPrincipals: [CALLER] }) }, "warning"],
  ["denies somebody else", { action: "DENY", rules: from({ principals: [CALLER] }) }, "ok"],
  ["asks for the caller under when", { rules: [{ when: [{ key: "source.principal", values: [CALLER] }] }] }, "warning"],
])("a policy that %s", async (_, spec, status) => {
  authorize("policy", spec);
  expect(await resultOf(fleet, callersAdmitted)).toMatchObject({ status });
});

test("a policy for the root namespace counts too", async () => {
  const metadata = { name: "mesh", namespace: "istio-system" };
  const spec = { rules: from({ principals: [CALLER] }) };
  fleet.server.put({ apiVersion: SECURITY, kind: "AuthorizationPolicy", metadata, spec });
  expect(await resultOf(fleet, callersAdmitted)).toMatchObject({
    status: "warning",
    detail: expect.stringContaining("AuthorizationPolicy istio-system/mesh"),
  });
});

test("a token that the baseline takes off is missed at a sandbox that asks for one", async () => {
  authorize("tokens", { selector: { matchLabels: { app: "reviews" } }, rules: from({ requestPrincipals: ["*"] }) });
  expect(await resultOf(fleet, callersAdmitted)).toMatchObject({ status: "ok" });
  authenticate("jwt", { jwtRules: [{ issuer: "a" }] });
  expect(await resultOf(fleet, callersAdmitted)).toMatchObject({
    status: "warning",
    detail:
      "AuthorizationPolicy demo/tokens asks for a token, which RequestAuthentication demo/jwt takes off at the baseline, so reviews-pr-42.demo gets none",
  });
  authenticate("jwt", { jwtRules: [{ issuer: "a", forwardOriginalToken: true }] });
  expect(await resultOf(fleet, callersAdmitted)).toMatchObject({ status: "ok" });
});

test("policies that may not be listed are not looked at, and that is said", async () => {
  forbid(fleet, /GET .*authorizationpolicies/);
  expect(await resultOf(fleet, callersAdmitted)).toMatchObject({
    status: "skipped",
    detail: expect.stringContaining("you may not list AuthorizationPolicies"),
  });
});

const withJwt = (more = {}) => installation({ config: { keys: ["jwt:group"], routes: [] }, ...more });

test("jwt: needs a token that is verified before the filter, and left on", async () => {
  expect(await resultOf(fleet, tokensSeen)).toMatchObject({ status: "ok" });
  expect(await resultOf(fleet, tokensSeen, withJwt())).toMatchObject({
    status: "warning",
    detail: expect.stringContaining("nobody has verified"),
  });
  authenticate("jwt", { selector: { matchLabels: { app: "caller" } }, jwtRules: [{ issuer: "a" }] });
  expect(await resultOf(fleet, tokensSeen, withJwt())).toMatchObject({
    status: "warning",
    detail: "RequestAuthentication demo/jwt takes the token off before the filter sees it, so jwt: never finds a key",
    hint: expect.stringContaining("forwardOriginalToken: true"),
  });
  expect(await resultOf(fleet, tokensSeen, withJwt({ phase: "AUTHN" }))).toMatchObject({ status: "ok" });
  expect(await resultOf(fleet, tokensSeen, withJwt({ mode: "outbound" }))).toMatchObject({ status: "ok" });
  authenticate("jwt", { jwtRules: [{ issuer: "a", forwardOriginalToken: true }] });
  expect(await resultOf(fleet, tokensSeen, withJwt())).toMatchObject({ status: "ok" });
  forbid(fleet, /GET .*requestauthentications/);
  expect(await resultOf(fleet, tokensSeen, withJwt())).toMatchObject({ status: "skipped" });
});

test.each([
  [undefined, "ok"],
  ["STATS", "ok"],
  ["AUTHZ", "warning"],
  ["AUTHN", "warning"],
] as const)("phase %s: %s", async (phase, status) => {
  expect(await resultOf(fleet, behindPolicies, installation(phase && { phase }))).toMatchObject({ status });
});

const caller = { namespace: "demo", serviceAccount: "reviews" };
test.each<[PolicyRule, string]>([
  [{}, "any"],
  [{ from: [{}] }, "any"],
  [{ from: [{ source: { principals: ["*"] } }] }, "named"],
  [{ from: [{ source: { principals: ["other.domain/ns/demo/sa/reviews"] } }] }, "named"],
  [{ from: [{ source: { principals: ["cluster.local/ns/demo/*"] } }] }, "named"],
  [{ from: [{ source: { principals: ["*/sa/reviews"] } }] }, "named"],
  [{ from: [{ source: { principals: ["*/sa/ratings"] } }] }, "others"],
  [{ from: [{ source: { serviceAccounts: ["reviews"] } }] }, "named"],
  [{ from: [{ source: { serviceAccounts: ["shop/reviews"] } }] }, "others"],
  [{ from: [{ source: { namespaces: ["de*"], notPrincipals: ["*/sa/reviews"] } }] }, "others"],
  [{ from: [{ source: { namespaces: ["shop"] } }, { source: {} }] }, "any"],
  [{ when: [{ key: "source.namespace", notValues: ["demo"] }] }, "others"],
  [{ when: [{ key: "request.headers[x]", values: ["1"] }] }, "any"],
])("the rule %j is for %s", (rule, verdict) => {
  expect(callerVerdict(rule, caller, "demo")).toBe(verdict);
});
