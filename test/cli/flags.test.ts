import { Command } from "commander";
import { expect, test } from "vitest";
import { clusterFlags, nameFlag, scopeFlags, timeoutFlag } from "../../installer/cli/flags.ts";

function selector(...args: string[]): unknown {
  const command = scopeFlags(new Command().exitOverride().configureOutput({ writeErr: () => {} }));
  return command.parse(args, { from: "user" }).opts().selector;
}

test("several selectors hold together", () => {
  expect(selector("-l", "app=a,version=v1", "-l", "tier==web")).toEqual({ app: "a", version: "v1", tier: "web" });
  expect(selector("-l", "app=a", "--selector", "app=a")).toEqual({ app: "a" });
});

test.each([
  ["-l", "app=a", "-l", "app=b"],
  ["-l", "app=a,app=b"],
])("selectors that exclude each other are refused: %s %s", (...args) => {
  expect(() => selector(...args)).toThrow("no workload has app=a and app=b at once");
});

test.each(["0", "0.0", "-1", "soon", "1e3", ""])("%j is no limit of time", (text) => {
  const command = timeoutFlag(new Command().exitOverride().configureOutput({ writeErr: () => {} }));
  expect(() => command.parse(["--timeout", text], { from: "user" })).toThrow("expected seconds, such as 90.");
});

test.each(["-n", "--name"])("%s without a name is refused, as it would stand for all there are", (flag) => {
  const command = nameFlag(clusterFlags(new Command().exitOverride().configureOutput({ writeErr: () => {} })));
  expect(() => command.parse([flag, ""], { from: "user" })).toThrow("expected a name");
});
