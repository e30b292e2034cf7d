import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { candidates } from "../../routes/deciding/scan.ts";
import { check } from "../property.ts";
import { call, decodeBase64Url, decodePercent } from "./filter.ts";

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

describe("hash", () => {
  const hash = (text: string | Uint8Array) => BigInt.asUintN(64, call<bigint>("hash", text));

  test("is FNV-1a with a finalizer", () => {
    const reference = (bytes: Uint8Array) => {
      const wide = (value: bigint) => BigInt.asUintN(64, value);
      let h = 0xcbf29ce484222325n;
      for (const byte of bytes) h = wide((h ^ BigInt(byte)) * 0x100000001b3n);
      h = wide((h ^ (h >> 33n)) * 0xff51afd7ed558ccdn);
      return h ^ (h >> 33n);
    };
    check([fc.uint8Array({ maxLength: 300 })], (bytes) => {
      expect(hash(bytes)).toBe(reference(bytes));
    });
  });

  test("spreads similar keys over a power of two of buckets", () => {
    const filled = new Set(Array.from({ length: 4096 }, (_, i) => hash(`pr-${i}`) & 1023n));
    expect(filled.size).toBeGreaterThan(980);
  });
});

describe("percent-decoding", () => {
  test.each([
    ["plain", "plain"],
    ["pr%2D42", "pr-42"],
    ["%70%72%2d%34%32", "pr-42"],
    ["%", undefined],
    ["%2", undefined],
    ["a%zz", undefined],
    ["%%41", undefined],
    ["", ""],
  ])("%j is %j", (text, decoded) => expect(decodePercent(text)?.toString("latin1")).toBe(decoded));

  test("agrees with what routes/ finds in a query", () => {
    const texts = fc.array(
      fc.oneof(fc.constantFrom("%", "%4", "%41", "%fF", "%00", "a"), fc.string({ unit: "binary-ascii" })),
    );
    check([texts], (parts) => {
      const text = parts.join("").replaceAll("&", "");
      const [decoded] = candidates({ kind: "query", name: "q" }, [[":path", `/?q=${text}`]], "");
      expect(decodePercent(text)?.toString("latin1") ?? "").toBe(decoded);
    });
    for (const letter of ["%61", "a"]) {
      expect(decodePercent(letter.repeat(4096))?.length).toBe(4096);
      expect(decodePercent(letter.repeat(4097))).toBeUndefined();
    }
  });
});

describe("base64url", () => {
  test("decodes what Node encodes", () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    check([bytes], (own) => expect(decodeBase64Url(Buffer.from(own).toString("base64url"))).toEqual(Buffer.from(own)));
  });

  test.each(["a", "abcde", "ab=", "ab+/", "a b c", "\xff\xff"])("refuses %j", (text) =>
    expect(decodeBase64Url(text)).toBeUndefined(),
  );
});

describe("dates", () => {
  const parseDate = (text: string) => Number(call<bigint>("parseDate", text));

  test.each([
    ["1970-01-01T00:00:01Z", 1],
    ["2030-01-31T12:00:00Z", Date.UTC(2030, 0, 31, 12) / 1000],
    ["2030-01-31t12:00:00z", Date.UTC(2030, 0, 31, 12) / 1000],
    ["2030-01-31T12:00:00.999999999Z", Date.UTC(2030, 0, 31, 12) / 1000],
    ["2030-01-31T12:00:00+02:00", Date.UTC(2030, 0, 31, 10) / 1000],
    ["2030-01-31T12:00:00.5-11:30", Date.UTC(2030, 0, 31, 23, 30) / 1000],
    ["2028-02-29T00:00:00Z", Date.UTC(2028, 1, 29) / 1000],
    ["2030-06-30T23:59:60Z", Date.UTC(2030, 6, 1) / 1000],
    ["9999-12-31T23:59:59Z", Date.UTC(9999, 11, 31, 23, 59, 59) / 1000],
  ])("%s", (text, seconds) => expect(parseDate(text)).toBe(seconds));

  test.each([
    "",
    "tomorrow",
    "2030-01-31",
    "2030-01-31 12:00:00Z",
    "2030-01-31T12:00:00",
    "2030-1-31T12:00:00Z",
    "2030-13-01T12:00:00Z",
    "2030-00-01T12:00:00Z",
    "2030-02-30T12:00:00Z",
    "2029-02-29T12:00:00Z",
    "2100-02-29T12:00:00Z",
    "2030-01-31T24:00:00Z",
    "2030-01-31T12:60:00Z",
    "2030-01-31T12:00:61Z",
    "2030-01-31T12:00:00.Z",
    "2030-01-31T12:00:00.5",
    "2030-01-31T12:00:00+0200",
    "2030-01-31T12:00:00+24:00",
    "2030-01-31T12:00:00ZZ",
    "1969-12-31T23:59:59Z",
    "-030-01-31T12:00:00Z",
    "2030-01-31T12:00:00\xb2",
  ])("refuses %j", (text) => expect(parseDate(text)).toBe(-1));

  test("agrees with Date on every moment", () => {
    const moments = fc.date({ min: new Date(1000), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true });
    check([moments], (date) => expect(parseDate(date.toISOString())).toBe(Math.floor(date.getTime() / 1000)));
  });

  test("never reads bytes as a date that is none", () => {
    check([fc.uint8Array({ maxLength: 40 })], (bytes) => {
      expect(parseDate(latin1(bytes))).toBe(-1);
    });
  });
});

test("keys are 1 to 256 bytes of printable ASCII without space, comma and semicolon", () => {
  const isKey = (text: string) => call<number>("isKey", text) === 1;
  for (let code = 0; code < 256; code++) {
    const wanted = code > 32 && code < 127 && code !== 44 && code !== 59;
    expect([code, isKey(`a${String.fromCharCode(code)}z`)]).toEqual([code, wanted]);
  }
  expect([0, 1, 256, 257].map((length) => isKey("k".repeat(length)))).toEqual([false, true, true, false]);
});
