import fc from "fast-check";
import { expect, test } from "vitest";
import { configuration, NOW, request, targets } from "./generate.ts";
import { proxyWith } from "./module.ts";
import { assertConsistent, decisionOf } from "./observe.ts";
import { check } from "./property.ts";
import { decide } from "./reference/decide.ts";

test("the module decides as the reference does", () => {
  check(
    [configuration, fc.array(request, { minLength: 1, maxLength: 20 })],
    (table, requests) => {
      const { envoy, filter } = proxyWith(table);
      for (const name of targets) envoy.process.clusters.set(name, true);
      for (const asked of requests) {
        const passed = filter.request(asked);
        expect(decisionOf(passed)).toEqual(decide(table, { ...asked, now: NOW }));
        assertConsistent(asked.headers, passed, asked.cluster);
      }
    },
    400,
  );
});
