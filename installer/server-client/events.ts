/** One server-sent event. */
export interface ServerEvent {
  name: string;
  data: string;
  /** What a watch goes on from once this event is dealt with. */
  id: string | undefined;
}

/** The events of a stream. Comments are signs of life and no events. */
export async function* eventsIn(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of stream) {
    const blocks = (rest + decoder.decode(piece, { stream: true })).split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = block.split(/\r?\n/).map((line) => /^([^:]*)(?:: ?(.*))?$/.exec(line)?.slice(1) ?? []);
      const values = (name: string) => fields.filter(([field]) => field === name).map(([, value = ""]) => value);
      const data = values("data").join("\n");
      if (data !== "") yield { name: values("event").at(-1) ?? "message", data, id: values("id").at(-1) };
    }
  }
}
