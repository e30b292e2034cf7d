/** The bytes that a stream brings; undefined when there are more than `most`. `alive` is called for each piece. */
export async function readUpTo(
  most: number,
  stream: AsyncIterable<Uint8Array> | null,
  alive: () => void = () => {},
): Promise<Buffer | undefined> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of stream ?? []) {
    alive();
    pieces.push(piece);
    size += piece.length;
    if (size > most) return undefined;
  }
  return Buffer.concat(pieces);
}
