// etcd, which the API server keeps its objects in.
import { installed } from "./apt.ts";

/** Path of an etcd, 3.4 or newer. */
export async function etcd(): Promise<string> {
  const [path] = await installed({ program: "etcd", package: "etcd-server" });
  return `${path}`;
}
