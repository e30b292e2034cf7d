import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check } from "../property.ts";
import { call } from "./filter.ts";

const hash = (name: string) => call<bigint>("hash", name);
const folded = (name: string) => call<bigint>("hashWithoutSubset", name);

const label = fc.stringMatching(/^[a-z0-9-]{1,12}$/);
const port = fc.integer({ min: 1, max: 65535 });

describe("a cluster's name without its subset", () => {
  test("is the Istio name of the same port and host with an empty one", () => {
    check([fc.constantFrom("outbound", "inbound"), port, label, label], (direction, number, subset, host) => {
      const plain = `${direction}|${number}||${host}`;
      expect(folded(`${direction}|${number}|${subset}|${host}`)).toBe(hash(plain));
      expect(folded(plain)).toBe(hash(plain));
      expect(folded(`${direction}|${number}|${subset}|other.${host}`)).not.toBe(hash(plain));
    });
  });

  test.each(["reviews", "", "|", "||", "|||", "inbound|9080||", "outbound|9080", "outbound|9080|v1", "a|b|c"])(
    "is the name itself for %j",
    (name) => expect(folded(name)).toBe(hash(name)),
  );
});

test("the service is what follows the third bar, else the whole name", () => {
  const service = (name: string) => name.slice(call<number>("serviceOffset", name));
  expect(service("outbound|9080|v1|reviews.demo.svc.cluster.local")).toBe("reviews.demo.svc.cluster.local");
  expect(service("outbound|9080||reviews")).toBe("reviews");
  expect(service("reviews")).toBe("reviews");
  expect(service("a|b|c")).toBe("a|b|c");
  expect(service("inbound|9080||")).toBe("");
  expect(service("")).toBe("");
});
