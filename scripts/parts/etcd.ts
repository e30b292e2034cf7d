// etcd, which the API server keeps its objects in.
import { installed } from "./apt.ts";

/** An etcd, 3.4 or newer. */
export async function etcd(): Promise<string> {
  await installed({ program: "etcd", package: "etcd-server" });
  return "etcd";
}
