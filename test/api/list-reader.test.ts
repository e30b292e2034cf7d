// A transaction is read while it comes in, and says the same as if it had been read as a whole.
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readText } from "../../server/api/body.ts";
import { mistakeIn } from "../../server/api/json.ts";
import { ListReader } from "../../server/api/list-reader.ts";
import { check } from "../property.ts";

/** What a reader tells of a text that comes in pieces of these lengths. */
function read(text: string, lengths: readonly number[]) {
  const items: Record<string, unknown[]> = { set: [], delete: [] };
  const others: [string | undefined, unknown][] = [];
  const reader = new ListReader(["set", "delete"], {
    item(list, at, value) {
      expect(at).toBe(items[list]?.length);
      items[list]?.push(value);
    },
    other: (field, value) => others.push([field, value]),
  });
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const length = lengths.length > 0 ? (lengths[turn % lengths.length] as number) : text.length;
    reader.push(text.slice(at, at + length));
    at += length;
  }
  reader.end();
  return { items, others };
}

const lengths = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 5 });
const items = fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 5 });
const documents = fc.oneof(
  fc.record({ set: items, delete: items }, { requiredKeys: [] }),
  fc.record({ set: fc.jsonValue(), other: fc.jsonValue() }, { requiredKeys: [] }),
  fc.jsonValue(),
);
const texts = fc
  .tuple(documents, fc.constantFrom(undefined, 1, "\t"))
  .map(([value, indent]) => JSON.stringify(value, null, indent))
  .filter((text) => !text.includes("__proto__"));

test("the items of lists and all other fields are those of the text, wherever it is cut", () => {
  check(
    [texts, lengths],
    (text, cuts) => {
      const value: unknown = JSON.parse(text);
      const { items, others } = read(text, cuts);
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        expect(others).toEqual([[undefined, value]]);
        return;
      }
      const fields = Object.entries(value);
      const isList = ([name, one]: [string, unknown]) => ["set", "delete"].includes(name) && Array.isArray(one);
      expect(items).toEqual({ set: [], delete: [], ...Object.fromEntries(fields.filter(isList)) });
      expect(others).toEqual(fields.filter((field) => !isList(field)));
    },
    500,
  );
});

test("the place where a text stops being JSON is the one that a look at the whole finds", () => {
  const signs = fc.constantFrom(...'{}[],:"\\ \n\t0a-.truefalsnul5é'.split(""));
  const broken = fc
    .tuple(texts, fc.nat(), fc.nat({ max: 2 }), fc.array(signs, { maxLength: 2 }))
    .map(([text, at, gone, more]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + more.join("") + text.slice(place + gone);
    });
  check(
    [broken, lengths],
    (text, cuts) => {
      const place = mistakeIn(text);
      let said: string | undefined;
      try {
        read(text, cuts);
      } catch (thrown) {
        said = (thrown as Error).message;
      }
      // A field that stands there twice, or is called as no field may be, is told at once.
      if (said?.includes("this field stands there twice") || said?.includes("__proto__")) return;
      if (place === undefined) expect(said).toBeUndefined();
      else if (text.trim() === "") expect(said).toContain("the body is empty");
      else expect(said).toBe(`not JSON: line ${place.line}, column ${place.column}: expected ${place.expected}`);
    },
    3000,
  );
});

test.each([
  ['{"set": [], "set": []}', "the transaction can't be used: set: this field stands there twice"],
  ['{"__proto__": []}', 'unknown field "__proto__"'],
  ['{"set": [{"__proto__": 1}]}', 'unknown field "__proto__"'],
  [`{"set": [1, "${"x".repeat(1_048_576)}"]}`, "the transaction can't be used: set[1]: longer than 1048576 characters"],
  [`{"set": [1, "${"x".repeat(2_000_000)}`, "the transaction can't be used: set[1]: longer than 1048576 characters"],
  [`{"${"x".repeat(2_000_000)}`, "the transaction can't be used: longer than 1048576 characters"],
])("what can be no transaction is refused with the place: %#", (text, message) => {
  expect(() => read(text, [65_536])).toThrow(message);
});

const LIMIT = { bytes: 1000, advice: "" };

const bodyOf = (headers = {}) =>
  Object.assign(new PassThrough(), { headers }) as never as PassThrough & { headers: object };

async function textOf(body: PassThrough, patience: { idleMs: number; allMs: number }): Promise<string> {
  let text = "";
  for await (const piece of readText(body as never, LIMIT, patience)) text += piece;
  return text;
}

test("a body that comes a byte at a time is given up after some time in all, and what takes the reader long does not count", async () => {
  const slow = bodyOf();
  const trickle = setInterval(() => slow.write("x"), 20);
  await expect(textOf(slow, { idleMs: 1000, allMs: 200 })).rejects.toMatchObject({
    status: 408,
    message: "the body did not come in time",
  });
  clearInterval(trickle);
  const quick = bodyOf();
  quick.end("x".repeat(900));
  const reading = (async () => {
    for await (const _ of readText(quick as never, LIMIT, { idleMs: 1000, allMs: 200 })) {
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  })();
  await expect(reading).resolves.toBeUndefined();
  await expect(textOf(bodyOf(), { idleMs: 50, allMs: 200 })).rejects.toThrow("no byte of the body came within 0.05 s");
});

test("letters that are cut between two pieces are whole", async () => {
  const body = bodyOf();
  const bytes = Buffer.from("ä€😀");
  for (const byte of bytes) body.write(Buffer.from([byte]));
  body.end();
  expect(await textOf(body, { idleMs: 1000, allMs: 1000 })).toBe("ä€😀");
  const broken = bodyOf();
  broken.end(bytes.subarray(0, 3));
  await expect(textOf(broken, { idleMs: 1000, allMs: 1000 })).rejects.toThrow("the body is no UTF-8");
});
