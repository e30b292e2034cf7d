// Nobody but the filter selects a cluster, and what the filter writes for the router stays in the proxy.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Bed, startBed } from "./bed/bed.ts";
import { connection, type HeaderList } from "./bed/client.ts";
import { h2 } from "./bed/h2.ts";

const SELECTION = "x-keyway-cluster";
const MARK = "x-keyway-routed";

let bed: Bed;
beforeAll(async () => {
  bed = await startBed({
    config: {
      routes: [
        { from: "reviews", key: "pr-42", to: "pr-42" },
        { from: "reviews", when: [{ header: "x-user", exact: "alice" }], to: "alice" },
      ],
    },
    targets: ["pr-42", "alice", "secret"],
  });
});
afterAll(() => bed.stop());

const FORGED: Record<string, HeaderList> = {
  once: [[SELECTION, "secret"]],
  "in another case": [["X-KEYWAY-Cluster", "secret"]],
  repeated: [
    [SELECTION, "secret"],
    [SELECTION, "secret"],
  ],
  "repeated in several cases, among other headers": [
    ["X-Keyway-Cluster", "secret"],
    ["x-user", "bob"],
    [SELECTION, "pr-42"],
    ["X-KEYWAY-CLUSTER", "secret"],
  ],
  "with several values": [[SELECTION, "secret, secret"]],
  empty: [[SELECTION, ""]],
  "empty, then filled": [
    [SELECTION, ""],
    [SELECTION, "secret"],
  ],
  "named by the connection header": [
    ["connection", `keep-alive, ${SELECTION}`],
    [SELECTION, "secret"],
  ],
  "beside a forged mark": [
    [SELECTION, "secret"],
    [MARK, "secret"],
  ],
  "beside headers that carry the filter state's name": [
    [SELECTION, "secret"],
    ["wasm.keyway", "routed"],
    ["keyway", "routed pr-42 secret"],
  ],
};

const KEYS: [what: string, headers: HeaderList, service: string][] = [
  ["no key", [], "reviews"],
  ["a key with a route", [["x-routing-key", "pr-42"]], "pr-42"],
  ["a key without a route", [["x-routing-key", "pr-43"]], "reviews"],
  ["what is no key", [["x-routing-key", "a b"]], "reviews"],
  ["a condition that holds", [["x-user", "alice"]], "alice"],
];

describe.each(Object.entries(FORGED))("the selection header %s", (_, forged) => {
  test.each(KEYS)("selects nothing with %s and never goes upstream", async (_, headers, service) => {
    const answer = await bed.ask({ headers: [...headers, ...forged] });
    expect({ status: answer.status, service: answer.service }).toEqual({ status: 200, service });
    expect(answer.seen(SELECTION)).toEqual([]);
  });
});

test("the selection header selects nothing over HTTP/2, alone or repeated", async () => {
  const client = h2(bed.port);
  try {
    for (const value of ["secret", ["secret", "secret"], ["", "secret"]])
      for (const [key, service] of Object.entries({ "pr-42": "pr-42", "pr-43": "reviews", "": "reviews" })) {
        const { echo } = await client.ask({ [SELECTION]: value, ...(key && { "x-routing-key": key }) });
        expect(echo?.service).toBe(service);
        expect(echo?.headers.map(([name]) => name)).not.toContain(SELECTION);
      }
  } finally {
    client.close();
  }
});

test("a forged request between good ones on one connection changes none of them", async () => {
  const agent = connection();
  const services: string[] = [];
  for (let i = 0; i < 30; i++) {
    const headers: HeaderList = [[["x-routing-key", "pr-42"]], [[SELECTION, "secret"]], []][i % 3] as HeaderList;
    services.push((await bed.ask({ headers, agent })).service);
  }
  agent.destroy();
  expect(services).toEqual(Array.from({ length: 10 }, () => ["pr-42", "reviews", "reviews"]).flat());
});

describe("the hop mark", () => {
  test("names the target in a selected request", async () => {
    expect((await bed.keyed("pr-42")).seen(MARK)).toEqual(["pr-42"]);
  });

  test("is not in a request that stays at the baseline", async () => {
    expect((await bed.ask()).seen(MARK)).toEqual([]);
    expect((await bed.keyed("pr-43")).seen(MARK)).toEqual([]);
  });

  test("with the very target that would be selected sends the request to the baseline, without the mark", async () => {
    const answer = await bed.keyed("pr-42", { headers: { [MARK]: "pr-42" } });
    expect(answer.service).toBe("reviews");
    expect(answer.seen(MARK)).toEqual([]);
  });

  test("with another target is replaced", async () => {
    const answer = await bed.keyed("pr-42", { headers: { [MARK]: "elsewhere" } });
    expect(answer.service).toBe("pr-42");
    expect(answer.seen(MARK)).toEqual(["pr-42"]);
  });

  test("repeated is still one mark upstream", async () => {
    const marks: HeaderList = [
      ["x-routing-key", "pr-42"],
      [MARK, "elsewhere"],
      [MARK, "further"],
    ];
    const answer = await bed.ask({ headers: marks });
    expect(answer.service).toBe("pr-42");
    expect(answer.seen(MARK)).toEqual(["pr-42"]);
  });

  test("stops a loop through two proxies that both select the same target", async () => {
    const inner = await bed.keyed("pr-42");
    const [mark] = inner.seen(MARK);
    const outer = await bed.keyed("pr-42", { headers: { [MARK]: mark ?? "" } });
    expect(outer.service).toBe("reviews");
  });
});
