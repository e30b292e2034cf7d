// Routes in a route file: edited in place, as people wrote it.
import { chmod, chown, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { replaceFile } from "../../installer/cli/replace.ts";
import { runCli } from "./run.ts";

async function fileOf(text?: string) {
  const folder = await mkdtemp(join(tmpdir(), "keyway-routes-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "routes.yaml");
  if (text !== undefined) await writeFile(path, text);
  const route = (...args: string[]) => runCli(["route", ...args, "-f", path]);
  return { folder, path, route, now: () => readFile(path, "utf8") };
}

const FILE = `# the team's routes
keys: [header:x-routing-key, signadot] # both

routes:
  # for everybody
  - {service: reviews:9080, key: pr-42, to: reviews-pr-42} # until March
  - service: ratings
    when: [{cookie: user, exact: alice}] # she asked
    to: ratings-v2
`;

test("a route is added, replaced and deleted, and the rest stays as people wrote it", async () => {
  const { route, now } = await fileOf(FILE);
  expect((await route("set", "details", "--key", "pr-42", "--to", "details-pr-42")).out).toContain("created");
  const added = `${FILE}  - {service: details, key: pr-42, to: details-pr-42}\n`;
  expect(await now()).toBe(added);
  expect((await route("set", "reviews:9080", "--key", "pr-42", "--to", "other", "--owner", "me")).out).toContain(
    "changed",
  );
  expect(await now()).toBe(added.replace("to: reviews-pr-42}", "to: other, owner: me}"));
  expect((await route("delete", "--owner", "me")).out).toContain("deleted");
  expect(await now()).toBe(added.replace(/ {2}- \{service: reviews.*\n/, ""));
});

test("a new entry is written as the last one is", async () => {
  const { route, now } = await fileOf("routes:\n  - {service: a, key: k, to: b}\n");
  await route(
    "set",
    "reviews",
    "--when",
    "cookie:u=a",
    "--to",
    "reviews@v2",
    "--label",
    "team=checkout",
    "--id",
    "alice",
  );
  expect(await now()).toBe(
    "routes:\n  - {service: a, key: k, to: b}\n  - {service: reviews, when: [{cookie: u, exact: a}], to: {service: reviews, subset: v2}, labels: {team: checkout}, id: alice}\n",
  );
});

test("what changes nothing leaves every byte, and what is dry as well", async () => {
  const text = "routes:   \n -   {service: a, key: k,   to: b}\n";
  const { route, now } = await fileOf(text);
  expect((await route("set", "a", "--key", "k", "--to", "b")).out).toContain("unchanged");
  expect((await route("set", "a", "--key", "k", "--to", "c", "--dry-run")).out).toContain("changed (dry run)");
  expect(await now()).toBe(text);
});

test("a file that is not there is made, and one without routes filled", async () => {
  const { route, now, path } = await fileOf();
  await route("set", "--from", "*", "--key", "pr-7", "--to", "everything");
  expect(await now()).toBe('routes:\n  - {service: "*", key: pr-7, to: {cluster: everything}}\n');
  expect((await route("delete", "--key", "pr-7")).code).toBe(0);
  expect(await now()).toBe("routes: []\n");
  await writeFile(path, "# nothing yet\nkeys: [okteto]\n");
  await route("set", "a", "--key", "k", "--to", "b");
  expect(await now()).toBe("# nothing yet\nkeys: [okteto]\nroutes:\n  - {service: a, key: k, to: b}\n");
});

test("JSON stays JSON, and Windows' line ends stay", async () => {
  const json = await fileOf('{\n  "routes": []\n}\n');
  await json.route("set", "a", "--key", "k", "--to", "b");
  expect(JSON.parse(await json.now()).routes).toEqual([{ service: "a", key: "k", to: "b" }]);
  const windows = await fileOf("routes:\r\n  - {service: a, key: k, to: b}\r\n");
  await windows.route("set", "a", "--key", "k", "--to", "c");
  expect(await windows.now()).toBe("routes:\r\n  - {service: a, key: k, to: c}\r\n");
});

test("renewing writes the date at which the time is over", async () => {
  const { route, now } = await fileOf(FILE);
  expect((await route("renew", "--key", "pr-42", "--ttl", "2h")).out).toMatch(/1h 59m|2h/);
  const [, expires = ""] = /expires: (\S+Z)/.exec(await now()) ?? [];
  expect(Math.abs(Date.parse(expires) - Date.now() - 7_200_000)).toBeLessThan(60_000);
});

test("standard input is edited to standard output, and what became of routes told beside it", async () => {
  const args = ["route", "set", "reviews:9080", "--key", "pr-42", "--to", "other", "-f", "-"];
  const { out, err } = await runCli(args, { input: FILE });
  expect(out).toBe(FILE.replace("to: reviews-pr-42", "to: other"));
  expect(err).toMatch(/^OUTCOME.*\nchanged/);
  const same = await runCli([...args.slice(0, 6), "reviews-pr-42", "-f", "-"], { input: FILE });
  expect(same.out).toBe(FILE);
});

test("the mistakes of the file are told with their places, and it is left alone", async () => {
  const text = "routes:\n  - {service: a, to: b}\n  - {service: a, key: k, to: b, colour: red}\n";
  const { route, now, path } = await fileOf(text);
  const { code, err } = await route("set", "a", "--key", "k", "--to", "b");
  expect(code).toBe(1);
  expect(err.replaceAll(path, "routes.yaml")).toContain(
    "routes.yaml:2:5: routes[0]: one of key, when, split is needed",
  );
  expect(err).toContain('3:33: routes[1]: unknown field "colour"');
  expect(await now()).toBe(text);
});

test("two entries with one id are refused with the place of the second", async () => {
  const { route } = await fileOf(
    "routes:\n  - {service: a, key: k, to: b, id: x}\n  - {service: c, key: k, to: b, id: x}\n",
  );
  const { code, err } = await route("list");
  expect([code, err]).toEqual([1, expect.stringContaining(":3:5: routes[1]: the same id as routes[0]: x")]);
});

test("the list goes by filters, and says how long a route lives", async () => {
  const { route } = await fileOf(
    `${FILE}  - {service: reviews:9080, key: old, to: b, expires: 2020-01-01T00:00:00Z}\n`,
  );
  expect((await route("list", "--service", "reviews")).out.split("\n")).toHaveLength(4);
  expect((await route("list", "--key", "old")).out).toContain("expired");
  expect(JSON.parse((await route("list", "--service", "ratings", "-o", "json")).out).routes).toEqual([
    {
      id: expect.stringMatching(/^ratings-when-/),
      service: "ratings",
      when: [{ cookie: "user", exact: "alice" }],
      to: "ratings-v2",
    },
  ]);
});

test.each(["640", "664", "600"])("a link stays a link, and the owner and the rights %s stay", async (octal) => {
  const rights = Number.parseInt(octal, 8);
  const { folder, path, now } = await fileOf(FILE);
  // Only root may give a file away.
  if (process.getuid?.() === 0) await chown(path, 4242, 4343);
  await chmod(path, rights);
  const { uid, gid } = await stat(path);
  const link = join(folder, "link.yaml");
  await symlink("routes.yaml", link);
  await runCli(["route", "set", "a", "--key", "k", "--to", "b", "-f", link]);
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
  const after = await stat(path);
  expect([after.mode & 0o777, after.uid, after.gid]).toEqual([rights, uid, gid]);
  expect(await now()).toContain("service: a,");
  expect((await readdir(folder)).sort()).toEqual(["link.yaml", "routes.yaml"]);
});

test("what somebody else has written meanwhile is not overwritten", async () => {
  const { folder, path, now } = await fileOf("theirs\n");
  await expect(replaceFile(path, "mine\n", Buffer.from("before\n"))).rejects.toThrow("somebody else changed");
  await expect(replaceFile(path, "mine\n", undefined)).rejects.toThrow("somebody else changed");
  expect(await now()).toBe("theirs\n");
  expect(await readdir(folder)).toEqual(["routes.yaml"]);
});

test("a file in a folder that is not there can't be written", async () => {
  const { code, err } = await runCli([
    "route",
    "set",
    "a",
    "--key",
    "k",
    "--to",
    "b",
    "-f",
    "/nowhere/at/all/routes.yaml",
  ]);
  expect([code, err]).toEqual([1, expect.stringContaining("can't write /nowhere/at/all/routes.yaml")]);
});
