// What Envoy does when a module can't be had or traps: what docs/operations.md tells people to expect.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Bootstrap, type Listener, ROOT } from "../../scripts/proxy/bootstrap.ts";
import { run, validate } from "../../scripts/proxy/run.ts";
import { type Bed, startBed } from "./bed/bed.ts";
import { bootstrap, plugin } from "./bed/bootstrap.ts";
import type { HeaderList } from "./bed/client.ts";
import { Ecds } from "./bed/ecds.ts";
import { until } from "./bed/until.ts";

const ROUTES = { routes: [{ from: "reviews", key: "pr-42", to: "pr-42" }] };
const POLICIES = ["FAIL_OPEN", "FAIL_CLOSED", "FAIL_RELOAD"];

const directory = mkdtempSync(join(tmpdir(), "keyway-failure-"));
const file = (name: string) => join(directory, name);
const UNUSABLE: [what: string, name: string][] = [
  ["missing", "missing.wasm"],
  ["truncated", "truncated.wasm"],
  ["empty", "empty.wasm"],
  ["no module", "text.wasm"],
];

beforeAll(() => {
  const whole = readFileSync(join(ROOT, "build", "keyway.wasm"));
  writeFileSync(file("truncated.wasm"), whole.subarray(0, whole.length / 2));
  writeFileSync(file("empty.wasm"), "");
  writeFileSync(file("text.wasm"), "<html>404 page not found</html>");
  const assembler = join(ROOT, "node_modules", ".bin", "wasm-as");
  const source = join(import.meta.dirname, "modules", "trap.wat");
  execFileSync(process.execPath, [assembler, source, "-o", file("trap.wasm")]);
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Another module and another failure policy for the filter of the only listener. */
const instead = (name: string, policy: string) => (made: Bootstrap) => {
  const changed = plugin(made.static_resources.listeners[0] as Listener);
  changed.vm_config.code.local.filename = file(name);
  changed.failure_policy = policy;
};

describe.each(UNUSABLE)("a module that is %s", (_, name) => {
  test.each(POLICIES)("keeps Envoy from starting, under %s", async (policy) => {
    const made = bootstrap({ config: ROUTES, ports: { reviews: 9 } });
    instead(name, policy)(made);
    expect((await validate(made)).status).toBe(1);
    await expect(run(made)).rejects.toThrow("Envoy did not start");
  });
});

describe("in an update, a module that can't be used", () => {
  let bed: Bed;
  let ecds: Ecds;
  beforeAll(async () => {
    bed = await startBed({
      config: ROUTES,
      targets: ["pr-42"],
      change: ({ static_resources }) => {
        ecds = new Ecds(static_resources.listeners[0] as Listener);
      },
    });
  });
  afterAll(async () => {
    await bed.stop();
    ecds.remove();
  });

  test.each(UNUSABLE)("because it is %s, is refused, and the old one goes on routing", async (_, name) => {
    const outcome = await ecds.update(bed.envoy, { routes: [] }, ({ vm_config }) => {
      vm_config.code.local.filename = file(name);
    });
    expect(outcome).toBe("refused");
    expect((await bed.keyed("pr-42")).service).toBe("pr-42");
  });
});

describe("a filter that traps", () => {
  const trapping: HeaderList = Array.from({ length: 25 }, (_, i) => [`x-${i}`, "1"]);

  async function afterTrap(policy: string, check: (bed: Bed, ecds: Ecds) => Promise<void>): Promise<void> {
    let ecds: Ecds | undefined;
    const bed = await startBed({
      config: ROUTES,
      change: (made) => {
        instead("trap.wasm", policy)(made);
        ecds = new Ecds(made.static_resources.listeners[0] as Listener);
      },
    });
    try {
      expect((await bed.ask()).status).toBe(200);
      expect((await bed.ask({ headers: trapping })).status).toBe(503);
      await check(bed, ecds as Ecds);
    } finally {
      await bed.stop();
      ecds?.remove();
    }
  }
  const status = async (bed: Bed) => (await bed.ask()).status;

  test("FAIL_OPEN fails that one request; then the filter is passed over and the baseline serves", async () => {
    await afterTrap("FAIL_OPEN", async (bed) => {
      for (let i = 0; i < 5; i++) expect(await status(bed)).toBe(200);
      expect((await bed.ask({ headers: trapping })).status).toBe(200);
    });
  });

  test("FAIL_CLOSED fails every request from then on", async () => {
    await afterTrap("FAIL_CLOSED", async (bed) => {
      for (let i = 0; i < 5; i++) expect(await status(bed)).toBe(503);
    });
  });

  test("FAIL_RELOAD fails requests until the module has been loaded again", async () => {
    await afterTrap("FAIL_RELOAD", async (bed) => {
      expect(await status(bed)).toBe(503);
      await until(
        "the reload",
        () => status(bed),
        (code) => code === 200,
      );
    });
  });

  test.each(POLICIES)("%s: the next configuration brings the filter back", async (policy) => {
    await afterTrap(policy, async (bed, ecds) => {
      expect(await ecds.update(bed.envoy, { routes: [] })).toBe("taken");
      expect(await status(bed)).toBe(200);
      expect((await bed.ask({ headers: trapping })).status).toBe(503);
    });
  });
});
