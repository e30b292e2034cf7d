import { randomBytes } from "node:crypto";
import { open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { KeywayError, reason } from "../../shared/errors.ts";

/**
 * Puts a text into a file, as a whole or not at all; `before` are the bytes that were read from it, undefined where there was no file. Throws when
 * somebody else has changed the file since, and leaves theirs.
 */
export async function replaceFile(path: string, text: string, before: Buffer | undefined): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const partial = join(dirname(target), `.${basename(target)}.${randomBytes(4).toString("hex")}`);
  try {
    const mode = before === undefined ? 0o666 : (await stat(target)).mode & 0o777;
    const file = await open(partial, "wx", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    const now = await readFile(target).catch(() => undefined);
    if (now === undefined ? before !== undefined : before === undefined || !now.equals(before)) {
      throw new KeywayError(`somebody else changed ${path} meanwhile; nothing of theirs was overwritten`, {
        next: "run the same command again",
      });
    }
    await rename(partial, target);
  } catch (thrown) {
    await rm(partial, { force: true });
    if (thrown instanceof KeywayError) throw thrown;
    throw new KeywayError(`can't write ${path}: ${reason(thrown)}`, {
      next: "make its folder one that can be written to, with room",
      cause: thrown,
    });
  }
}
