import { expect, onTestFinished, test } from "vitest";
import { KubernetesTokens } from "../../server/auth/kubernetes.ts";
import { Unavailable } from "../../server/store/store.ts";
import { connect, server } from "../cluster/connect.ts";
import { neverAnswer, noRights } from "../double/faults.ts";

async function authenticator(countsMs?: number) {
  const api = await server();
  api.tokens.set("secret", "ci").set("of a proxy", "proxy").set("of nobody", "guest");
  for (const right of ["ci: get routes", "ci: create routes", "proxy: get /v1/table"]) api.grants.add(right);
  const tokens = new KubernetesTokens(await connect(api), "demo", ["proxy"], countsMs);
  onTestFinished(() => tokens.close());
  const roles = async (token?: string) => {
    const principal = await tokens.authenticate(token);
    return (
      principal && [principal.name, ...(["read", "write", "proxy"] as const).filter((role) => principal.may(role))]
    );
  };
  return { api, tokens, roles };
}

test("Kubernetes says whose a token is and what they may do", async () => {
  const { roles } = await authenticator();
  expect(await roles("secret")).toEqual(["ci", "read", "write"]);
  expect(await roles("of a proxy")).toEqual(["proxy", "proxy"]);
  expect(await roles("of nobody")).toEqual(["guest"]);
  expect(await roles("forged")).toBeUndefined();
  expect(await roles()).toEqual(["anonymous", "proxy"]);
});

test("a token that is for the route server alone is known, and one for somebody else is not", async () => {
  const { api, roles } = await authenticator();
  api.tokensFor.set("keyway.dev", new Map([["narrow", "ci"]])).set("vault", new Map([["of vault", "ci"]]));
  expect(await roles("narrow")).toEqual(["ci", "read", "write"]);
  expect(await roles("of vault")).toBeUndefined();
});

test("an answer counts for a while, and a token that is gone then is revoked", async () => {
  const { api, tokens, roles } = await authenticator(100);
  const asked = () => api.requests.filter((one) => one.includes("tokenreviews")).length;
  const [first] = await Promise.all([tokens.authenticate("secret"), tokens.authenticate("secret")]);
  expect(asked()).toBe(1);
  first?.revoked.addEventListener("abort", () => {});
  await expect.poll(asked).toBeGreaterThan(2);
  expect(first?.revoked.aborted).toBe(false);
  api.tokens.delete("secret");
  await expect.poll(() => first?.revoked.aborted).toBe(true);
  expect(await roles("secret")).toBeUndefined();
  const proxy = await tokens.authenticate("of a proxy");
  api.grants.add("proxy: get routes");
  await expect.poll(() => proxy?.revoked.aborted).toBe(true);
  expect(await roles("of a proxy")).toEqual(["proxy", "read", "proxy"]);
});

test("tokens that nobody knows are asked about once in a while, and few at one time, however often they come", async () => {
  const { api, tokens } = await authenticator();
  const asked = () => api.requests.filter((one) => one.includes("tokenreviews")).length;
  for (let time = 0; time < 20; time++) expect(await tokens.authenticate("forged")).toBeUndefined();
  expect(asked()).toBe(2);
  api.faults.add(/tokenreviews/, neverAnswer, 1000);
  const many = Array.from({ length: 200 }, (_, at) => tokens.authenticate(`forged-${at}`));
  for (const one of many) Promise.resolve(one).catch(() => {});
  await expect.poll(asked).toBeGreaterThan(1);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(asked()).toBeLessThan(50);
});

test("tokens that nobody uses any more are not asked about again, those of a watch that goes on are", async () => {
  const { api, tokens } = await authenticator(50);
  const asked = () => api.requests.filter((one) => one.includes("tokenreviews")).length;
  const watching = await tokens.authenticate("secret");
  watching?.revoked.addEventListener("abort", () => {});
  await tokens.authenticate("of a proxy");
  await new Promise((resolve) => setTimeout(resolve, 800));
  const before = asked();
  await new Promise((resolve) => setTimeout(resolve, 500));
  // One of the two, each 50 ms.
  expect(asked() - before).toBeLessThan(15);
  expect(asked() - before).toBeGreaterThan(2);
  api.tokens.delete("secret");
  await expect.poll(() => watching?.revoked.aborted).toBe(true);
});

test("while the API server can't say, nobody new is let in, and who was stays", async () => {
  const { api, tokens } = await authenticator(50);
  const ci = await tokens.authenticate("secret");
  api.faults.add(/reviews/, noRights("no"), 1000);
  await expect(tokens.authenticate("of a proxy")).rejects.toThrow(Unavailable);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(ci?.revoked.aborted).toBe(false);
  expect((await tokens.authenticate("secret"))?.name).toBe("ci");
});
