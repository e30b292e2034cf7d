import { randomBytes } from "node:crypto";
import { type FileHandle, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
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
    const file = await open(partial, "wx", before === undefined ? 0o666 : 0o600);
    try {
      if (before !== undefined) await takeOver(file, target);
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

/** Gives a new file the owner and the rights of the one that it is to replace, whatever the umask takes from new files. */
async function takeOver(file: FileHandle, path: string): Promise<void> {
  const { mode, uid, gid } = await stat(path);
  // Who may write to somebody else's folder may still not give a file away.
  await file.chown(uid, gid).catch(() => {});
  await file.chmod(mode & 0o777);
}
