import fc from "fast-check";
import { expect, test } from "vitest";
import { explain } from "../../routes/deciding/explain.ts";
import { parseConfiguration } from "../../routes/reading/configuration.ts";
import { withPseudoHeaders } from "../host/emulator/slot.ts";
import { configuration, NOW, request, targets } from "../host/generate.ts";
import { proxyWith } from "../host/module.ts";
import { check } from "../property.ts";

test("explains any request in the words of the module itself", () => {
  check(
    [configuration, fc.array(request, { minLength: 1, maxLength: 10 })],
    (table, requests) => {
      const { envoy, filter } = proxyWith({ ...table, explain: true });
      for (const name of targets) envoy.process.clusters.set(name, true);
      const parsed = parseConfiguration(table);
      for (const asked of requests) {
        const answer = filter.request({ ...asked, headers: [...asked.headers, ["x-keyway-explain", "1"]] });
        const input = { ...asked, headers: withPseudoHeaders(asked.headers), now: NOW };
        expect(explain(parsed, input)).toEqual(JSON.parse(answer.local?.body ?? "null"));
      }
    },
    200,
  );
});
