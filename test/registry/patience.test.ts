// How long a registry or a helper is waited for, and that an interruption ends each wait.
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withDeadline } from "../../installer/cli/connect.ts";
import { connect } from "../../installer/registry/connect.ts";
import { findCredentials } from "../../installer/registry/credentials.ts";
import type { Io } from "../../shared/io.ts";
import { startDouble } from "./double.ts";
import { trial } from "./trial.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyway-patience-"));
  await writeFile(join(folder, "config.json"), JSON.stringify({ credsStore: "slow" }));
  // The helper's own child holds its output open after the helper itself is ended.
  await writeFile(join(folder, "docker-credential-slow"), "#!/bin/sh\nsleep 20\n");
  await chmod(join(folder, "docker-credential-slow"), 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

function interruptible(input: Io["in"] = []) {
  const stop = new AbortController();
  const env = { HOME: folder, DOCKER_CONFIG: folder, PATH: `${folder}:${process.env.PATH}` };
  const io: Io = { out: { write() {} }, err: { write() {} }, in: input, env, signal: stop.signal };
  return { io, interrupt: () => stop.abort(new Error("interrupted")) };
}

/** Interrupts soon, and gives the reason and the milliseconds that it took. */
async function interrupted(wait: (io: Io) => Promise<unknown>, input?: Io["in"]): Promise<[string, number]> {
  const { io, interrupt } = interruptible(input);
  const begun = Date.now();
  setTimeout(interrupt, 100);
  const thrown = await wait(io).catch((error: unknown) => error);
  return [thrown instanceof Error ? thrown.message : "", Date.now() - begun];
}

test("a registry that never answers is named, after the time and the tries that it has", async () => {
  const double = await startDouble(() => "never");
  const { publish, told, waits } = trial(double.host, "team/keyway", undefined, undefined, { timeout: 50 });
  await expect(publish("1.0")).rejects.toThrow(`${double.host} does not answer within 0.05 s`);
  await double.stop();
  expect([told.length, waits]).toEqual([3, [500, 1000, 2000]]);
});

test("an interruption ends the wait for a registry", async () => {
  const double = await startDouble(() => "never");
  const name = { host: double.host, repository: "team/keyway" };
  const [why, ms] = await interrupted(async (io) => {
    const repository = await connect(name, { insecure: true, named: true }, { ...io, env: { HOME: "/nowhere" } });
    return repository.manifest("1.0");
  });
  await double.stop();
  expect(why).toBe("interrupted");
  expect(ms).toBeLessThan(5000);
});

test("an interruption ends the wait for another try", async () => {
  const double = await startDouble(() => ({ status: 503, headers: { "retry-after": "20" } }));
  const name = { host: double.host, repository: "team/keyway" };
  const asked = async (io: Io) => {
    const repository = await connect(name, { insecure: true, named: true }, { ...io, env: { HOME: "/nowhere" } });
    return repository.manifest("1.0");
  };
  const [why, ms] = await interrupted(asked);
  expect(why).toBe("interrupted");
  expect(ms).toBeLessThan(5000);
  await expect(asked(withDeadline(interruptible().io, 0.3))).rejects.toThrow(
    `not done within the 0.3 s of --timeout: ${double.host} answers 503`,
  );
  await double.stop();
});

test("an interruption ends the wait for a credential helper and for what that has started", async () => {
  const asked = (io: Io) => findCredentials("registry.example.com", { named: true }, io);
  const [why, ms] = await interrupted(asked);
  expect(why).toBe("interrupted");
  expect(ms).toBeLessThan(5000);
  await expect(asked(withDeadline(interruptible().io, 0.3))).rejects.toThrow(
    "not done within the 0.3 s of --timeout: the credential helper docker-credential-slow has not answered",
  );
});

test("an interruption ends the wait for a password", async () => {
  const silent = new PassThrough();
  const options = { username: "alice", passwordStdin: true, named: true };
  const [why, ms] = await interrupted((io) => findCredentials("registry.example.com", options, io), silent);
  expect(why).toBe("interrupted");
  expect(ms).toBeLessThan(5000);
  expect(silent.destroyed).toBe(true);
});

test("a password ends with its line, though standard input stays open", async () => {
  const open = new PassThrough();
  open.write("open sesame\r\n");
  const options = { username: "alice", passwordStdin: true, named: true };
  const { credentials } = await findCredentials("registry.example.com", options, interruptible(open).io);
  expect(credentials?.kind === "basic" && credentials.password.reveal()).toBe("open sesame");
});
