// Where a text stops being JSON. Node's parser does not always say.

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON has none of them within a string
const TEXT = /"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"/;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/;
const TOKEN = new RegExp(`([{}[\\],:])|${TEXT.source}|${NUMBER.source}|(?:true|false|null)\\b`, "y");
const SPACE = /[ \t\r\n]*/y;

/** What may stand next. */
export type Expected = "value" | "value or ]" | "name" | "name or }" | ":" | ", or }" | ", or ]" | "end";

export interface Place {
  line: number;
  column: number;
  /** What was expected there. */
  expected: string;
}

/** The place of the first mistake in a text that is not JSON; undefined where there is none. */
export function mistakeIn(text: string): Place | undefined {
  const open: ("{" | "[")[] = [];
  let expected: Expected = "value";
  let at = 0;
  const after = (): Expected => (open.length === 0 ? "end" : open.at(-1) === "{" ? ", or }" : ", or ]");
  for (;;) {
    SPACE.lastIndex = at;
    SPACE.exec(text);
    at = SPACE.lastIndex;
    if (at >= text.length) return expected === "end" ? undefined : placeOf(text, at, expected);
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text);
    const sign = token?.[1];
    const isString = text[at] === '"';
    let next: Expected | undefined;
    if (token === null || expected === "end") next = undefined;
    else if (sign === undefined) {
      if (expected === "value" || expected === "value or ]") next = after();
      else if (isString && (expected === "name" || expected === "name or }")) next = ":";
    } else if (sign === "{" || sign === "[") {
      if (expected === "value" || expected === "value or ]") {
        open.push(sign);
        next = sign === "{" ? "name or }" : "value or ]";
      }
    } else if (sign === "}" || sign === "]") {
      const closes = sign === "}" ? ["name or }", ", or }"] : ["value or ]", ", or ]"];
      if (closes.includes(expected)) {
        open.pop();
        next = after();
      }
    } else if (sign === ":") next = expected === ":" ? "value" : undefined;
    else if (expected === ", or }") next = "name";
    else if (expected === ", or ]") next = "value";
    if (next === undefined) return placeOf(text, at, expected);
    expected = next;
    at = TOKEN.lastIndex;
  }
}

export const WORDS: Record<Expected, string> = {
  value: "a value",
  "value or ]": "a value or ]",
  name: "a name in double quotes",
  "name or }": "a name in double quotes or }",
  ":": ":",
  ", or }": ", or }",
  ", or ]": ", or ]",
  end: "the end",
};

export function placeOf(text: string, at: number, expected: Expected): Place {
  let line = 1;
  let start = 0;
  for (let next = text.indexOf("\n"); next >= 0 && next < at; next = text.indexOf("\n", start)) {
    line++;
    start = next + 1;
  }
  return { line, column: at - start + 1, expected: WORDS[expected] };
}
