import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check } from "../property.ts";
import { call, readJsonString } from "./filter.ts";

const isJson = (text: string | Uint8Array) =>
  call<number>("isJson", typeof text === "string" ? Buffer.from(text) : text) === 1;

function parses(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

describe("values", () => {
  const indent = fc.constantFrom(undefined, 1, "\t");

  test("every JSON value is read", () => {
    check([fc.jsonValue({ maxDepth: 6 }), indent], (value, space) => {
      expect(isJson(JSON.stringify(value, null, space))).toBe(true);
    });
  });

  test("what is no JSON is refused, just as JSON.parse does", () => {
    const letters = fc.constantFrom(...'{}[]:,"\\ \n\tnulltruefalse10-u'.split(""), "\x01", "\xc3\xa9", "\xff");
    const texts = fc.array(letters, { maxLength: 12 }).map((own) => Buffer.from(own.join(""), "latin1"));
    const broken = fc
      .tuple(fc.jsonValue({ maxDepth: 3, noUnicodeString: false }), fc.nat(), letters)
      .map(([value, where, letter]) => {
        const text = Buffer.from(JSON.stringify(value));
        const at = where % (text.length + 1);
        return Buffer.concat([text.subarray(0, at), Buffer.from(letter, "latin1"), text.subarray(at)]);
      });
    const seen = { yes: 0, no: 0 };
    check(
      [fc.oneof(texts, broken)],
      (bytes) => {
        // Of numbers only the beginning is looked at, and half of a surrogate pair is refused.
        if (/[-\d][-+.\deE]|\\u[dD]/.test(bytes.toString("latin1"))) return;
        seen[parses(bytes) ? "yes" : "no"]++;
        expect([bytes.toString("latin1"), isJson(bytes)]).toEqual([bytes.toString("latin1"), parses(bytes)]);
      },
      1000,
    );
    expect(Math.min(seen.yes, seen.no)).toBeGreaterThan(20);
  }, 30_000);

  test("at most 64 levels deep", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect([isJson(nested(64)), isJson(nested(65)), isJson("[".repeat(100_000))]).toEqual([true, false, false]);
  });
});

describe("strings", () => {
  test("come out as JSON.parse has them, as UTF-8", () => {
    check([fc.string({ unit: "grapheme", maxLength: 200 }), fc.boolean()], (own, escaped) => {
      const plain = JSON.stringify(own);
      const text = escaped
        ? plain.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)
        : plain;
      expect(readJsonString(Buffer.from(text))).toEqual(Buffer.from(own));
    });
    expect(readJsonString('"\\"\\\\\\/\\b\\f\\n\\r\\t"')).toEqual(Buffer.from('"\\/\b\f\n\r\t'));
  });

  test.each(['"\\ud83d"', '"\\ud83dx"', '"\\ud83dde00"', '"\\ude00"', '"\\u12"', '"a', '"\\q"', '"\n"', "a"])(
    "%j is refused",
    (text) => expect(readJsonString(text)).toBe(-1),
  );

  test.each([
    ["cut off", [0xe2, 0x82]],
    ["an overlong form", [0xc0, 0xaf]],
    ["an overlong form of three", [0xe0, 0x80, 0xaf]],
    ["half of a surrogate pair", [0xed, 0xa0, 0x80]],
    ["past the last character", [0xf4, 0x90, 0x80, 0x80]],
    ["no first byte", [0x80]],
    ["no byte at all", [0xff]],
  ])("UTF-8 with %s is refused", (_, bytes) => expect(readJsonString(Buffer.from([0x22, ...bytes, 0x22]))).toBe(-1));

  test("are kept up to 4096 bytes", () => {
    expect(readJsonString(`"${"x".repeat(4096)}"`)).toHaveLength(4096);
    expect(readJsonString(`"${"x".repeat(4097)}"`)).toBe(-2);
  });
});

test("decimals are counted in ten-thousandths, what is finer is cut off", () => {
  const decimal = (text: string) => Number(call<bigint>("readDecimal", text));
  check([fc.nat({ max: 100_000 }), fc.array(fc.nat({ max: 9 }), { maxLength: 7 })], (whole, digits) => {
    const text = digits.length > 0 ? `${whole}.${digits.join("")}` : `${whole}`;
    expect(decimal(text)).toBe(whole * 10_000 + Number(digits.join("").slice(0, 4).padEnd(4, "0")));
  });
  const none = ["", "-1", "+1", ".5", "1.", "01", "00", "1e3", "1.5E1", "x", "1x", "0x10", '"1"', "null"];
  expect(none.map(decimal)).toEqual(none.map(() => -1));
  expect(decimal("9".repeat(40))).toBe(1e9 * 10_000);
});
