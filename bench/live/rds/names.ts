// What the control plane and the proxies that follow it agree on.
export const NAME = "bench";
/** The cluster over which a proxy reaches the control plane. */
export const CLUSTER = "xds";
/** The header of an answer that names the cluster it comes from. */
export { HEADER_SERVED as SERVED } from "../../../routes/model/names.ts";

export type Setting = { key: string; to: string };
