// What keeps a server from starting: it is told, and nothing goes on afterwards.
import { join } from "node:path";
import { expect, test } from "vitest";
import { serve } from "../../server/main.ts";
import { readSettings } from "../../server/settings.ts";
import type { Io } from "../../shared/io.ts";
import { temporaryFolder } from "../api/serve.ts";

const nowhere = { write: () => {} };

async function startWith(flags: Record<string, string>, ready: (url: string) => void): Promise<void> {
  const io: Io = { out: nowhere, err: nowhere, in: [], env: {}, signal: new AbortController().signal };
  const store = `sqlite:${join(temporaryFolder(), "keyway.db")}`;
  await serve(await readSettings({ listen: "127.0.0.1:0", store, ...flags }, io), io, ready);
}

test.each([{ controller: "true" }, { controller: "false", store: "kubernetes" }])(
  "--overrides without a controller is refused before the server listens: %j",
  async (flags) => {
    let listened = false;
    const started = startWith({ overrides: "demo", ...flags }, () => {
      listened = true;
    });
    await expect(started).rejects.toThrow("versions of pods become routes only where");
    expect(listened).toBe(false);
  },
);

test("a start that fails once the server listens leaves nobody listening", async () => {
  let url = "";
  const started = startWith({}, (address) => {
    url = address;
    throw new Error("the start fails here");
  });
  await expect(started).rejects.toThrow("the start fails here");
  await expect(fetch(`${url}/healthz`)).rejects.toThrow("fetch failed");
});
