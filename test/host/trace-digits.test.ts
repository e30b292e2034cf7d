// How the digits of a trace's id are read: what they say, and which characters are digits.
import fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "../property.ts";
import { counted, enter, leave, workload } from "./workload.ts";

const DIGITS = "0123456789abcdefABCDEF";
const hex = (length: number) =>
  fc.array(fc.constantFrom(...DIGITS), { minLength: length, maxLength: length }).map((digits) => digits.join(""));
const decimal = (digits: string): string => BigInt(`0x${digits}`).toString();
const inGroups = (id: string): string => id.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");

test("64 bits in hexadecimal digits, in small letters and capitals, are those of the same decimal number", () => {
  const one = workload();
  check([hex(15)], (digits) => {
    const low = `1${digits}`;
    enter(one, "a", { b3: low });
    expect(leave(one, { "x-datadog-trace-id": decimal(low) })).toBe("a");
  });
});

test("128 bits are the same with the dashes of a UUID and without, and end in the same 64 bits", () => {
  const one = workload();
  check([hex(15), hex(15)], (high, digits) => {
    const id = `${high}1${digits}1`;
    enter(one, "a", { "x-request-id": inGroups(id) });
    expect(leave(one, { b3: id })).toBe("a");
    expect(leave(one, { "x-datadog-trace-id": decimal(id.slice(16)) })).toBe("a");
    enter(one, "b", { traceparent: `00-${id}-00f067aa0ba902b7-01` });
    expect(leave(one, { "x-request-id": inGroups(id.toLowerCase()) })).toBe("b");
  });
});

test("no other character is a digit, wherever it stands", () => {
  const one = workload();
  const id = "5759e988bd862e3fe1be46a994272793";
  const others = Array.from({ length: 255 }, (_, code) => String.fromCharCode(code + 1)).filter(
    (c) => !DIGITS.includes(c),
  );
  let untraced = 0;
  for (const c of others) {
    for (let at = 0; at < 32; at += 1 + (c.charCodeAt(0) % 3)) {
      enter(one, "a", { b3: `${id.slice(0, at)}${c}${id.slice(at + 1)}` });
      // 16 digits and a dash are an id of 64 bits, and blanks around a value are not a part of it.
      if (!(c === "-" && at === 16)) untraced++;
    }
  }
  expect(counted(one, "requests_untraced")).toBe(untraced);
});

test("a text in the form of a UUID with another character is known as the text that it is", () => {
  const id = "5759e988-bd86-2e3f-e1be-46a994272793";
  for (let at = 0; at < id.length; at++) {
    const one = workload();
    const text = `${id.slice(0, at)}${id[at] === "-" ? "0" : "g"}${id.slice(at + 1)}`;
    enter(one, "a", { "x-request-id": text });
    expect([at, leave(one, { "x-request-id": text })]).toEqual([at, "a"]);
    expect([at, leave(one, { "x-request-id": id })]).toEqual([at, undefined]);
  }
});

test("a header that is called otherwise, with as many letters as one of ids has, is none", () => {
  const id = "5759e988bd862e3fe1be46a994272793";
  const one = workload();
  const names = ["b2", "sw9", "traceparens", "x-b3-traceie", "x-request-ie", "uber-trace-ie", "x-amzn-trace-ie"];
  const more = ["x-datadog-trace-ie", "x-cloud-trace-contexs"];
  enter(one, "a", Object.fromEntries([...names, ...more].map((name) => [name, id])));
  expect(counted(one, "requests_untraced")).toBe(1);
});
