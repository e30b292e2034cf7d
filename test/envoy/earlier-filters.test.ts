// A filter before Keyway that changes what Envoy's routes match. Envoy resolves the route again only when somebody asks it to,
// which a Wasm module can't; see docs/rationale.md.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HttpFilter, type Listener, manager } from "../../scripts/proxy/bootstrap.ts";
import { type Bed, startBed } from "./bed/bed.ts";

const filter = (name: string, type: string, more: object = {}): HttpFilter => ({
  name,
  typed_config: { "@type": `type.googleapis.com/envoy.extensions.filters.http.${type}`, ...more },
});
const lua = filter("lua", "lua.v3.Lua", {
  default_source_code: {
    inline_string: `function envoy_on_request(handle)
      if handle:headers():get("x-member") then
        handle:headers():replace("x-tier", "gold")
        handle:clearRouteCache()
      end
    end`,
  },
});
const cors = filter("cors", "cors.v3.Cors");

function bedWith(arrange: (keyway: HttpFilter) => HttpFilter[]): Promise<Bed> {
  return startBed({
    config: {
      routes: [
        { from: "reviews", key: "pr-42", to: "reviews-pr-42" },
        { from: "gold", key: "pr-7", to: "gold-pr-7" },
      ],
      explain: true,
    },
    targets: ["gold", "reviews-pr-42", "gold-pr-7"],
    change: ({ static_resources }) => {
      const { http_filters, route_config } = manager(static_resources.listeners[0] as Listener);
      const [keyway, ...others] = http_filters as [HttpFilter, ...HttpFilter[]];
      http_filters.splice(0, Number.POSITIVE_INFINITY, ...arrange(keyway), ...others);
      const headers = [{ name: "x-tier", string_match: { exact: "gold" } }];
      route_config.virtual_hosts[0]?.routes.splice(2, 0, {
        match: { prefix: "/", headers },
        route: { cluster: "gold" },
      });
    },
  });
}

const MEMBER = { "x-member": "yes" };
const ask = async (bed: Bed, key: string, headers: Record<string, string> = MEMBER) =>
  (await bed.keyed(key, { headers })).service;
const explained = async (bed: Bed) =>
  JSON.parse((await bed.keyed("pr-42", { headers: { ...MEMBER, "x-keyway-explain": "1" } })).body);

describe("where the filter stands right behind it", () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await bedWith((keyway) => [lua, keyway]);
  });
  afterAll(() => bed.stop());

  test("a key is looked up for the baseline that the request came in with, which is a limit", async () => {
    expect(await ask(bed, "none")).toBe("gold");
    expect([await ask(bed, "pr-42"), await ask(bed, "pr-7")]).toEqual(["reviews-pr-42", "gold"]);
  });

  test("explain names that baseline, so that the limit can be seen", async () => {
    expect(await explained(bed)).toMatchObject({ outcome: "routed", from: "reviews" });
  });

  test("requests that the earlier filter leaves alone are looked up rightly", async () => {
    expect(await ask(bed, "pr-42", {})).toBe("reviews-pr-42");
  });
});

test("where an unconfigured cors filter resolves the route between them, a key is looked up for the present baseline", async () => {
  const bed = await bedWith((keyway) => [lua, cors, keyway]);
  try {
    expect([await ask(bed, "pr-42"), await ask(bed, "pr-7"), await ask(bed, "none")]).toEqual([
      "gold",
      "gold-pr-7",
      "gold",
    ]);
    expect(await explained(bed)).toMatchObject({ outcome: "baseline", from: "gold" });
  } finally {
    await bed.stop();
  }
});

test("where the filter stands before it, the other has the last word on what has no route", async () => {
  const bed = await bedWith((keyway) => [keyway, lua]);
  try {
    expect([await ask(bed, "pr-42"), await ask(bed, "none")]).toEqual(["reviews-pr-42", "gold"]);
  } finally {
    await bed.stop();
  }
});
