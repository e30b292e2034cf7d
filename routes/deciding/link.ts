// Links: requests whose query names the key that they, and those after them, have.
import { isKey } from "../model/key.ts";
import { linkNames } from "../model/links.ts";
import type { Configuration } from "../model/model.ts";
import { splitSigned } from "../model/signed-key.ts";
import { type Pairs, percentDecoded, queryValues, valuesOf } from "./scan.ts";

/**
 * What a request asks for as a link: a key, `""` for no key, null for what is no key; undefined where it is no link. Of several parameters the
 * first that is a key or empty counts; a signed key may be longer than others.
 */
export function readLink(parameter: string, headers: Pairs, mayBeSigned = false): string | null | undefined {
  const [path = ""] = valuesOf(headers, ":path");
  const values = queryValues(path.replace(/(\?[^#]*)#.*/s, "$1"), parameter).map((value) => {
    const decoded = percentDecoded(value);
    const isText = value === "" || isKey(decoded) || (mayBeSigned && splitSigned(decoded) !== undefined);
    return isText ? decoded : null;
  });
  return values.find((value) => value !== null) ?? values[0];
}

export function isLinkOff({ link }: Configuration, headers: Pairs): boolean {
  const names = linkNames(link);
  return names !== undefined && readLink(names.query, headers) === "";
}
