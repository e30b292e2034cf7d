// What install and upgrade say of a change, and that nothing is written meanwhile.
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCli } from "../cli/run.ts";
import { type Fleet, put, startFleet } from "./fleet.ts";

let fleet: Fleet;
beforeEach(async () => {
  fleet = await startFleet();
  await put(fleet);
  fleet.server.requests.length = 0;
});
afterEach(() => fleet.close());

const upgrade = (...args: string[]) =>
  runCli(["upgrade", "-n", "demo", "--kubeconfig", fleet.kubeconfig, "--no-served", ...args]);
const writes = () => fleet.server.requests.filter((request) => /^(?:PATCH|DELETE|PUT)/.test(request));

test.each([["--dry-run=client"], ["--diff"], []])(
  "a check that there is not is no check to ignore: %s",
  async (...how) => {
    expect(await upgrade("--ignore", "rigths", ...how)).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringMatching(/no check "rigths" to ignore; did you mean rights\?/),
    });
    expect(writes()).toEqual([]);
  },
);

test("a dry run here sends nothing and names every object", async () => {
  const { code, out } = await upgrade("--dry-run=client", "-o", "json");
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    outcomes: ["EnvoyFilter", "WasmPlugin"].map((kind) => ({
      object: `${kind} demo/keyway`,
      outcome: "not sent (dry run)",
    })),
  });
  expect(writes()).toEqual([]);
});

test("a difference is printed, and nothing is written but as a trial", async () => {
  const { code, out } = await upgrade("--diff");
  expect(code).toBe(0);
  expect(out).toMatch(/^-.*x-keyway-served/m);
  expect(writes().filter((request) => !request.includes("dryRun=All"))).toEqual([]);
});
