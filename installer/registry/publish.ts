import type { Progress } from "../cli/progress.ts";
import type { Repository } from "./client.ts";
import { integrityError } from "./errors.ts";
import type { Blob, Image } from "./image.ts";
import { sha256 } from "./image.ts";

export interface Publication {
  repository: Repository;
  host: string;
  tag: string;
  /** Another repository of the same registry that may hold the blobs already. */
  sibling: string | undefined;
}

/** Stores an image, reads it back and only then names it by the tag: a tag never names what is incomplete. */
export async function publish(
  image: Image,
  { repository, host, tag, sibling }: Publication,
  steps: Progress,
): Promise<void> {
  const blobs: [string, Blob][] = [
    ["config", image.config],
    ["module", image.layer],
  ];
  for (const [what, blob] of blobs) {
    steps.update(`pushing the ${what}, ${size(blob)}`);
    steps.done(`${what} ${size(blob)}: ${await repository.upload(blob, sibling)}`);
  }
  const { manifest } = image;
  await repository.putManifest(manifest, manifest.digest);

  steps.update("reading back");
  for (const [, { digest }] of blobs) await repository.blob(digest);
  await repository.manifest(manifest.digest);
  steps.done("read back and compared");

  await repository.putManifest(manifest, tag);
  const named = sha256(await repository.manifest(tag));
  if (named !== manifest.digest) {
    throw integrityError(
      host,
      `names ${named} by the tag ${tag}, which was just set to ${manifest.digest}`,
      `tag ${tag}`,
    );
  }
  steps.done(`tagged ${tag}`);
}

function size({ bytes }: Blob): string {
  return bytes.length < 1024 ? `${bytes.length} B` : `${(bytes.length / 1024).toFixed(1)} KiB`;
}
