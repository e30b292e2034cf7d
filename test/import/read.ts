// What an import makes of texts, for looking at.

import { readItems } from "../../import/documents.ts";
import { type ImportOptions, importItems } from "../../import/import.ts";
import { placeOf } from "../../import/report.ts";
import { toFileEntry } from "../../routes/model/file-entry.ts";

export interface Read {
  /** Entries of a route file, without the ids that are the usual ones or numbers. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what they expect
  routes: any[];
  ids: string[];
  /** `KIND PLACE: MESSAGE`, in their order. */
  findings: string[];
  keys: string[];
  // biome-ignore lint/suspicious/noExplicitAny: as above
  objects: any[];
}

export function read(input: string | object, options: ImportOptions = {}): Read {
  const text = typeof input === "string" ? input : JSON.stringify(input);
  const report = importItems([...readItems("in.yaml", text)], options);
  return {
    routes: report.routes.map(({ route }) => {
      const { id: _, ...entry } = toFileEntry(route);
      return entry;
    }),
    ids: report.routes.map(({ route }) => route.id),
    findings: report.findings.map(({ kind, item, path, message }) => `${kind} ${placeOf(item, path)}: ${message}`),
    keys: report.keys,
    objects: report.objects,
  };
}

/** What is said of the input that can't be read. */
export function mistakeIn(input: string | object, options: ImportOptions = {}): string {
  try {
    read(input, options);
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === "KeywayError") return thrown.message;
    throw thrown;
  }
  throw new Error("it was read");
}
