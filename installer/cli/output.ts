import { Option } from "commander";
import { Document, isNode } from "yaml";
import { colors, type Io } from "../../shared/io.ts";

export const formats = ["table", "json", "yaml"] as const;
export type Format = (typeof formats)[number];

export function outputOption(): Option {
  return new Option("-o, --output <format>", "how to print the result").choices(formats).default("table");
}

/** Prints one result on stdout: `table` makes the text for people, `data` is what programs get. */
export function emit(io: Io, format: Format, data: unknown, table: () => string): void {
  io.out.write(format === "json" ? toJson(data) : format === "yaml" ? toYaml(data) : table());
}

export function toJson(data: unknown): string {
  return `${JSON.stringify(data, null, 2)}\n`;
}

/** A comment above what a path leads to, for people who read the YAML. */
export type Remark = readonly [path: readonly (string | number)[], text: string];

/** Quotes what readers of YAML 1.1, Kubernetes among them, would not take for a text: dates, yes, on. */
export function toYaml(data: unknown, remarks: readonly Remark[] = []): string {
  const document = new Document(data, { aliasDuplicateObjects: false, compat: "yaml-1.1" });
  for (const [path, text] of remarks) {
    const node = document.getIn(path, true);
    if (isNode(node)) node.commentBefore = ` ${text}`;
  }
  return document.toString({ lineWidth: 0 });
}

export function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** Columns two spaces apart, the header in capitals; an empty table is its header alone. */
export function table(io: Io, header: string[], rows: string[][]): string {
  const width = header.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => cell.padEnd(width[column] ?? 0))
      .join("  ")
      .trimEnd();
  const { bold } = colors(io, io.out);
  return [bold(line(header.map((name) => name.toUpperCase()))), ...rows.map(line), ""].join("\n");
}
