import { Option } from "commander";
import { stringify } from "yaml";
import { colors, type Io } from "./io.ts";

export const formats = ["table", "json", "yaml"] as const;
export type Format = (typeof formats)[number];

export function outputOption(): Option {
  return new Option("-o, --output <format>", "how to print the result").choices(formats).default("table");
}

/** Prints one result on stdout: `table` makes the text for people, `data` is what programs get. */
export function emit(io: Io, format: Format, data: unknown, table: () => string): void {
  io.out.write(format === "json" ? `${JSON.stringify(data, null, 2)}\n` : format === "yaml" ? toYaml(data) : table());
}

export function toYaml(data: unknown): string {
  return stringify(data, { lineWidth: 0, aliasDuplicateObjects: false });
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
