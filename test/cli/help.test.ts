// The help of every command, and that what it says is true.
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { addCommands, type Entry } from "../../installer/cli/command.ts";
import { commands } from "../../installer/commands/index.ts";
import { KeywayError } from "../../shared/errors.ts";
import type { Io } from "../../shared/io.ts";
import { expectGolden, runCli } from "./run.ts";

/** Every command by what is typed for it: `route`, `route explain`. */
async function all(): Promise<Map<string, Command>> {
  const found = new Map<string, Command>();
  const add = (parent: Command, path: string) => {
    for (const command of parent.commands) {
      found.set(`${path}${command.name()}`, command);
      add(command, `${path}${command.name()} `);
    }
  };
  const program = new Command("keyway");
  const nowhere = { write: () => {} };
  const io = { out: nowhere, err: nowhere, in: [], env: {}, signal: new AbortController().signal };
  await addCommands(program, commands, io, () => true);
  add(program, "");
  return found;
}

const known = await all();
const paths = [...known.keys()];
const examplesOf = async (path: string) =>
  (await runCli([...path.split(" "), "--help"])).out.split("\nExamples:\n")[1] ?? "";

describe("--help", () => {
  test.each(["", ...paths])("keyway %s", async (path) => {
    const { code, out, err } = await runCli([...path.split(" ").filter((word) => word !== ""), "--help"]);
    expect([code, err]).toEqual([0, ""]);
    await expectGolden(`help-${path.replaceAll(" ", "-") || "keyway"}`, out);
  });

  test.each(paths)("keyway help %s says the same", async (path) => {
    const asFlag = await runCli([...path.split(" "), "--help"]);
    expect(await runCli(["help", ...path.split(" ")])).toEqual(asFlag);
  });

  test("of a command runs nothing, whatever else is typed", async () => {
    expect(await runCli(["help", "uninstall", "all"])).toEqual(await runCli(["uninstall", "--help"]));
  });

  test("help without a name is the help of the whole command", async () => {
    expect(await runCli(["help"])).toEqual(await runCli(["--help"]));
  });

  test.each(paths)("keyway %s has examples, and their flags exist", async (path) => {
    const examples = await examplesOf(path);
    expect(examples).toContain(`keyway ${path}`);
    for (const line of examples.replaceAll("\\\n", " ").split("\n")) {
      const [, typed = ""] = /(?<![#/.\w-] ?)keyway ([^|>)]*)/.exec(line.trimStart().startsWith("#") ? "" : line) ?? [];
      if (typed === "") continue;
      const name = paths.filter((one) => typed.startsWith(one)).sort((a, b) => b.length - a.length)[0];
      expect(name, line).toBeDefined();
      const flags = known.get(name ?? "")?.options.flatMap(({ long, short }) => [long, short]);
      for (const flag of typed.match(/(?<= )--?[a-zA-Z][-a-z]*/g) ?? []) expect(flags, line).toContain(flag);
    }
  });
});

describe("wrong usage", () => {
  test.each([
    ["no command", []],
    ["a command that there is not", ["instal"]],
    ["a command like no other", ["frobnicate"]],
    ["a subcommand that there is not", ["route", "explian"]],
    ["help for a command that there is not", ["help", "instal"]],
    ["help for a subcommand that there is not", ["help", "route", "explian"]],
    ["a flag that there is not", ["publish", "--insecur", "oci://registry.example.com/team/keyway:1"]],
    ["a flag like no other", ["build", "--frobnicate"]],
    ["an argument too many", ["build", "all"]],
    ["an argument too few", ["publish"]],
    ["a flag without its value", ["publish", "--module"]],
    ["a format that there is not", ["build", "-o", "xml"]],
    ["a URL without a scheme", ["publish", "registry.example.com/keyway:1"]],
    ["a URL without a repository", ["publish", "oci://registry.example.com"]],
    ["a URL in capitals", ["publish", "oci://registry.example.com/Keyway:1"]],
    ["a URL without a tag", ["publish", "oci://registry.example.com/keyway"]],
    ["a URL with a digest", ["publish", `oci://registry.example.com/keyway@sha256:${"0".repeat(64)}`]],
    ["render without a route file", ["render", "envoy"]],
    ["an address without a port", ["render", "envoy", "-f", "x", "--listen", "localhost"]],
    ["a header without a colon", ["route", "explain", "-f", "x", "-H", "key", "/"]],
  ])("%s", async (name, args) => {
    const { code, out, err } = await runCli(args);
    expect([code, out]).toEqual([2, ""]);
    await expectGolden(`wrong-${name.replaceAll(" ", "-")}`, err);
  });
});

test("the version", async () => {
  expect(await runCli(["--version"])).toEqual({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), err: "" });
});

describe("errors", () => {
  const only = (name: string, action: (io: Io) => void): Entry[] => [
    { name, summary: "", load: async () => (program, io) => void program.command(name).action(() => action(io)) },
  ];
  const failing = (thrown: unknown) =>
    only("fail", () => {
      throw thrown;
    });
  const fail = (thrown: unknown, env = {}) => runCli(["fail"], { registered: failing(thrown), env });

  test("say what, where and what next", async () => {
    const error = new KeywayError("the registry is on fire", { where: "rack 7", next: "call somebody" });
    expect(await fail(error)).toEqual({
      code: 1,
      out: "",
      err: "keyway: the registry is on fire\n  where: rack 7\n  next:  call somebody\n",
    });
  });

  test("of a person who interrupts are none", async () => {
    const stop = new AbortController();
    const registered = only("wait", async ({ signal }) => {
      setImmediate(() => stop.abort());
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    });
    expect(await runCli(["wait"], { registered, signal: stop.signal })).toEqual({
      code: 130,
      out: "",
      err: "keyway: interrupted\n",
    });
  });

  test("that are keyway's own faults say so, and show their stack when asked", async () => {
    const { code, err } = await fail(new TypeError("undefined is not a function"));
    expect([code, err]).toEqual([
      1,
      "keyway: unexpected: undefined is not a function\n" +
        "  next:  this is a fault of keyway; run again with KEYWAY_DEBUG=1 and report the stack\n",
    ]);
    expect((await fail(new TypeError("oh"), { KEYWAY_DEBUG: "1" })).err).toContain("help.test.ts");
    expect((await fail("a text")).err).toContain("unexpected: a text");
  });
});
