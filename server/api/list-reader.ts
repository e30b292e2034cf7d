// Reads a JSON object of long lists while its text comes in, so that neither the text nor the lists have to be held as a whole.
import { notJson, refusePrototypes } from "./body.ts";
import { invalid } from "./errors.ts";
import { type Expected, mistakeIn, type Place, placeOf, WORDS } from "./json.ts";

export interface Told {
  /** An item of one of the lists. */
  item(list: string, at: number, value: unknown): void;
  /** A field that is none of the lists, or has another value than a list. Without a name: the whole, which is no object. */
  other(field: string | undefined, value: unknown): void;
}

/** Characters that one item may have, or a field that is no list. */
const MOST = 1024 * 1024;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** What no number, and none of true, false and null, has in it. */
const SIGNS = new Set([QUOTE, COMMA, COLON, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT]);

const isSpace = (code: number) => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

/** Where the end of a value is looked for. */
interface Scan {
  /** The next character to look at. */
  at: number;
  /** Lists and objects that are open. */
  depth: number;
  isInText: boolean;
}

/** Whatever is thrown names the place. */
export class ListReader {
  readonly #lists: readonly string[];
  readonly #told: Told;
  readonly #fields = new Set<string>();
  /** What has come; before `#at` it was read. */
  #text = "";
  #at = 0;
  #expected: Expected | "begin" = "begin";
  /** Of the value that begins at `#at`, where it has begun. */
  #scan: Scan | undefined;
  #field: string | undefined;
  /** Items of the list that is being read; undefined outside of lists. */
  #items: number | undefined;
  /** Where `#text` begins, from 0 on. */
  #line = 0;
  #column = 0;

  constructor(lists: readonly string[], told: Told) {
    this.#lists = lists;
    this.#told = told;
  }

  push(piece: string): void {
    this.#letGo();
    this.#text += piece;
    while (this.#scan ? this.#goOn(this.#scan) : this.#step());
  }

  end(): void {
    if (this.#scan) this.#take(this.#text.length);
    if (this.#expected === "begin") throw notJson("the body is empty; a JSON object is needed");
    if (this.#expected !== "end") throw this.#unexpected();
  }

  /** Reads one sign, or the begin of a value; false where there is nothing more. */
  #step(): boolean {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
    if (this.#at >= this.#text.length) return false;
    const code = this.#text.charCodeAt(this.#at);
    const isList = this.#items === undefined && this.#field !== undefined && this.#lists.includes(this.#field);
    switch (this.#expected) {
      case "begin":
        return code === OPEN_OBJECT ? this.#pass("name or }") : this.#begin();
      case "name or }":
        if (code === CLOSE_OBJECT) return this.#pass("end");
        if (code === QUOTE) return this.#begin();
        break;
      case "name":
        if (code === QUOTE) return this.#begin();
        break;
      case ":":
        if (code === COLON) return this.#pass("value");
        break;
      case "value":
        if (!isList || code !== OPEN_LIST) return this.#begin();
        this.#items = 0;
        return this.#pass("value or ]");
      case "value or ]":
        return code === CLOSE_LIST ? this.#closeList() : this.#begin();
      case ", or ]":
        if (code === COMMA) return this.#pass("value");
        if (code === CLOSE_LIST) return this.#closeList();
        break;
      case ", or }":
        if (code === COMMA) return this.#pass("name");
        if (code === CLOSE_OBJECT) return this.#pass("end");
    }
    throw this.#unexpected();
  }

  #pass(expected: Expected): true {
    this.#at++;
    this.#expected = expected;
    return true;
  }

  #closeList(): true {
    this.#items = undefined;
    return this.#pass(", or }");
  }

  #begin(): true {
    this.#scan = { at: this.#at, depth: 0, isInText: false };
    return true;
  }

  /** Takes the value if its end is there: that of its text, list or object, else what can't be in one. */
  #goOn(scan: Scan): boolean {
    const text = this.#text;
    let { at, depth, isInText } = scan;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (isInText) {
        if (code === BACKSLASH) at++;
        else if (code === QUOTE) {
          isInText = false;
          if (depth === 0) return this.#take(at + 1);
        }
      } else if (depth === 0 && at > this.#at && (isSpace(code) || SIGNS.has(code))) return this.#take(at);
      else if (code === QUOTE) isInText = true;
      else if (code === OPEN_LIST || code === OPEN_OBJECT) depth++;
      else if (code === CLOSE_LIST || code === CLOSE_OBJECT) {
        if (depth <= 1) return this.#take(at + depth);
        depth--;
      }
    }
    this.#scan = { at, depth, isInText };
    this.#refuseTooLong(text.length);
    return false;
  }

  #take(end: number): true {
    this.#refuseTooLong(end);
    const text = this.#text.slice(this.#at, end);
    const value = this.#parse(text);
    this.#at = end;
    this.#scan = undefined;
    if (this.#expected === "name" || this.#expected === "name or }") this.#name(value as string);
    else {
      this.#expected = this.#after;
      if (this.#items === undefined) this.#told.other(this.#field, value);
      else this.#told.item(this.#field ?? "", this.#items++, value);
    }
    return true;
  }

  #name(name: string): void {
    if (name === "__proto__") throw notJson('unknown field "__proto__"');
    if (this.#fields.has(name)) throw refused([name], "this field stands there twice");
    this.#fields.add(name);
    this.#field = name;
    this.#expected = ":";
  }

  #parse(text: string): unknown {
    try {
      const value: unknown = JSON.parse(text);
      if (text.includes('"__proto__"')) refusePrototypes(value);
      return value;
    } catch (thrown) {
      if (!(thrown instanceof SyntaxError)) throw thrown;
      const place = mistakeIn(text);
      if (place === undefined) throw notJson("not JSON");
      if (place.line === 1 && place.column === 1) throw this.#unexpected();
      const { line, column } = this.#place();
      throw notJsonAt({
        expected: place.expected === WORDS.end ? WORDS[this.#after] : place.expected,
        line: line + place.line - 1,
        column: place.line === 1 ? column + place.column - 1 : place.column,
      });
    }
  }

  /** What may stand after a value. */
  get #after(): Expected {
    if (this.#items !== undefined) return ", or ]";
    return this.#expected === "begin" ? "end" : ", or }";
  }

  #refuseTooLong(end: number): void {
    if (end - this.#at <= MOST) return;
    const path = [this.#field, this.#items].filter((step) => step !== undefined);
    throw refused(path, `longer than ${MOST} characters`);
  }

  /** Something else stands where the reader is. */
  #unexpected(): Error {
    return notJsonAt(this.#place());
  }

  #place(): Place {
    const expected = this.#expected === "begin" ? "value" : this.#expected;
    const { line, column, ...place } = placeOf(this.#text, this.#at, expected);
    return { ...place, line: this.#line + line, column: line === 1 ? this.#column + column : column };
  }

  /** Forgets what was read. */
  #letGo(): void {
    const { line, column } = this.#place();
    this.#line = line - 1;
    this.#column = column - 1;
    this.#text = this.#text.slice(this.#at);
    if (this.#scan) this.#scan.at -= this.#at;
    this.#at = 0;
  }
}

const refused = (path: (string | number)[], message: string) =>
  invalid("the transaction can't be used", [{ path, message }]);

function notJsonAt({ line, column, expected }: Place): Error {
  return notJson(`not JSON: line ${line}, column ${column}: expected ${expected}`);
}
