import { readFile } from "node:fs/promises";
import { expect } from "vitest";

/** Compares the table of a page in docs/, which stands between two comments, with what the test has found; `vitest -u` writes it. */
export async function expectTableIn(page: string, rows: string[]): Promise<void> {
  const url = new URL(`../docs/${page}`, import.meta.url);
  const text = await readFile(url, "utf8");
  const [, head, tail] = /^(.*<!-- table -->\n).*(<!-- end of the table -->.*)$/s.exec(text) ?? [];
  await expect(`${head}\n${rows.join("\n")}\n\n${tail}`).toMatchFileSnapshot(url.pathname);
}
