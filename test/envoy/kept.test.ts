// A request with a key differs from one without in nothing but where it goes: every setting of a route, tried on a real Envoy. What
// is found is the table of docs/what-is-kept.md; `vitest -u` writes it anew.
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectTableIn } from "../page.ts";
import { ask } from "./bed/client.ts";
import { domain, type KeptBed, PLACES, type Place, startKept } from "./kept/bed.ts";
import { sender } from "./kept/observe.ts";
import { type Row, rows } from "./kept/rows.ts";

let bed: KeptBed;
beforeAll(async () => {
  bed = await startKept(rows);
});
afterAll(() => bed?.stop());

/** Whether keyed requests were seen to be as others are, by setting and place of the filter. */
const kept = new Map<string, Partial<Record<Place, boolean>>>();

describe.each(PLACES)("with Keyway %s the other filters", (place) => {
  test.each(rows.map((row, index) => ({ ...row, index })))("$setting", async (row) => {
    const plain = await observed(row, place, false);
    expect(row.shows(plain.observation as never), JSON.stringify(plain.observation, null, 1)).toBe(true);
    const keyed = await observed(row, place, true);
    const answered = row.answeredByProxy ? { plain: [], keyed: [] } : { plain: ["base"], keyed: ["base-pr"] };
    expect({ plain: plain.services, keyed: keyed.services }).toMatchObject(row.notKeptInFront ? {} : answered);
    const same = isDeepStrictEqual(keyed.observation, plain.observation);
    kept.set(row.setting, { ...kept.get(row.setting), [place]: same });
    if (place === "before" && row.notKeptInFront) expect(same).toBe(false);
    else expect(keyed.observation).toEqual(plain.observation);
  });
});

async function observed({ index, observe }: Row & { index: number }, place: Place, keyed: boolean) {
  const services = new Set<string>();
  const answeredBy = (service: string) => void services.add(service);
  const client = { port: bed.envoy.ports[place] as number, host: domain(index), keyed, answeredBy };
  const observation = await observe(sender(client), { ...client, mirrored: bed.mirrored });
  return { observation, services: [...services] };
}

test.each([...PLACES, "specific"])(
  "the mark arrives, the selection does not, and the answer says who served it: %s",
  async (name) => {
    const port = bed.envoy.ports[name] as number;
    const { headers, body } = await ask(port, { headers: { host: domain(0), "x-routing-key": "pr-1" }, path: "/old" });
    expect(headers["x-keyway-served"]).toBe("base-pr");
    const { headers: arrived } = JSON.parse(body);
    expect([arrived["x-keyway-routed"], arrived["x-keyway-cluster"]]).toEqual(["base-pr", undefined]);
  },
);

test("the command names what is not kept with the filter before the others, and how to keep it", () => {
  const limited = rows.findIndex(({ notKeptInFront }) => notKeptInFront);
  expect(bed.saidOfFront.trim().split("\n")).toEqual([
    expect.stringContaining(
      `virtual host row-${limited}, route number 2: local_ratelimit stands behind Keyway, so a key gets a second allowance`,
    ),
  ]);
});

test("docs/what-is-kept.md says so", async () => {
  const mark = (is: boolean | undefined, why: string | undefined) => (is ? "kept" : `**not kept**: ${why}`);
  const lines = rows.map(({ setting, notKeptInFront }) => {
    const { behind, before } = kept.get(setting) ?? {};
    return `| ${setting} | ${mark(behind, "")} | ${mark(before, notKeptInFront)} |`;
  });
  const head = ["| the route says | Keyway behind the other filters | Keyway before them |", "|---|---|---|"];
  await expectTableIn("what-is-kept.md", [...head, ...lines]);
});
