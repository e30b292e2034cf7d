import type { Credentials } from "../../installer/registry/auth.ts";
import { Repository } from "../../installer/registry/client.ts";
import { imageOf } from "../../installer/registry/image.ts";
import { publish } from "../../installer/registry/publish.ts";
import { Transport, type TransportOptions } from "../../installer/registry/transport.ts";

/** The smallest module that a proxy would load. */
export const MODULE = new Uint8Array(
  Buffer.from(
    "0061736d0100000001090260000060017f017f03030200010503010001072d03066d656d6f72790200066d616c6c6f6300011770726f78795f" +
      "6162695f76657273696f6e5f305f325f3100000a090202000b040041000b",
    "hex",
  ),
);

export const IMAGE = imageOf(MODULE, { version: "1.2.3", revision: "0123abc" });

export interface Trial {
  repository: Repository;
  /** Milliseconds that would have been waited before further tries. */
  waits: number[];
  /** What a person was told. */
  told: string[];
  publish(tag: string, image?: typeof IMAGE): Promise<void>;
}

/** A client for one repository that never really waits. */
export function trial(
  host: string,
  name = "team/keyway",
  credentials?: Credentials,
  sibling?: string,
  options: Partial<TransportOptions> = {},
): Trial {
  const waits: number[] = [];
  const told: string[] = [];
  const transport = new Transport({
    host,
    insecure: true,
    login: credentials ? { credentials } : {},
    env: {},
    signal: new AbortController().signal,
    pause: async (ms) => void waits.push(ms),
    retrying: (why) => told.push(why),
    ...options,
  });
  const repository = new Repository(transport, { host, repository: name });
  const tell = (text: string) => told.push(text);
  const steps = { update: () => {}, done: tell, warn: tell, next: tell };
  return {
    repository,
    waits,
    told,
    publish: (tag, image = IMAGE) => publish(image, { repository, host, tag, sibling }, steps),
  };
}
