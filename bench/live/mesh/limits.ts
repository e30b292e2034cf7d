// How many keys one object takes before the API server refuses it. The objects concern no proxy.
import type { Resource } from "../../../test/mesh/bed/api.ts";
import { type MeshBed, NAMESPACE, withMesh } from "./bed.ts";
import { envoyFilter, numbers, virtualServices, wasmPlugins } from "./ways.ts";

export type Limit = {
  kind: string;
  /** The most keys that were taken, and the bytes of the object with them. */
  keys: number;
  bytes: number;
  /** The fewest keys that were refused, and what the API server said. */
  refused: number;
  reason: string;
};

const MOST = 40_000;
/** Keys between what was taken and what was refused. */
const STEP = 500;

export function limits(): Promise<Limit[]> {
  process.stderr.write("The most keys of one object\n");
  const nobody = { role: "nobody" };
  return withMesh(0, async (bed) => [
    await limit(bed, (keys) => wasmPlugins(keys)[0], {
      selector: { matchLabels: nobody },
      url: "oci://registry.example.com/keyway",
    }),
    await limit(bed, (keys) => virtualServices(keys)[0], { hosts: ["nobody.example.com"] }),
    await limit(bed, (keys) => envoyFilter(0, numbers(0, keys)), { workloadSelector: { labels: nobody } }),
  ]);
}

async function limit(
  { mesh }: MeshBed,
  routes: (keys: number) => Resource | undefined,
  settings: object,
): Promise<Limit> {
  const objectOf = (keys: number): Resource => {
    const { spec, ...rest } = routes(keys) as Resource;
    return { ...rest, metadata: { name: "limit", namespace: NAMESPACE }, spec: { ...(spec as object), ...settings } };
  };
  let [taken, refused, reason] = [0, MOST, `not refused below ${MOST} keys`];
  while (refused - taken > STEP) {
    const keys = Math.round((taken + refused) / 2);
    try {
      await mesh.api.apply(objectOf(keys));
      taken = keys;
    } catch (error) {
      refused = keys;
      reason = saying(error);
    }
  }
  await mesh.api.delete(objectOf(0));
  const bytes = JSON.stringify(objectOf(taken)).length;
  return { kind: `${objectOf(0).kind}`, keys: taken, bytes, refused, reason };
}

function saying(error: unknown): string {
  const { message } = error as Error;
  return /"message":"((?:[^"\\]|\\.)*)"/.exec(message.replaceAll('\\"', '"'))?.[1] ?? message.slice(0, 200);
}
