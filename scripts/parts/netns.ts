// What network namespaces are made and fenced with.
import { installed } from "./apt.ts";

/** Makes sure that `ip` and `iptables` are there. */
export async function networkTools(): Promise<void> {
  await installed({ program: "ip", package: "iproute2" }, { program: "iptables", package: "iptables" });
}
