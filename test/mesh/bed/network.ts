// The run's bridge and its network namespaces. Nothing here leaves the machine: every namespace's default gateway is the
// control plane's, which forwards nothing, so that a cluster address is only ever answered by a proxy.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { run as command } from "../../../scripts/parts/command.ts";
import { CONTROL, controlAddress, type Run } from "./run.ts";

const ip = (...args: string[]) => command("ip", args);
const ipBatch = (...lines: string[]) => command("ip", ["-batch", "-"], { input: lines.join("\n") });
const settings = (name: string) => `/etc/netns/${name}`;

/** The control plane's namespace is `namespaceOf(run, CONTROL_LABEL)`. */
export const CONTROL_LABEL = "control";

export const namespaceOf = (run: Run, label: string): string => `${run.name}-${label}`;

export async function createBridge(run: Run): Promise<void> {
  await ipBatch(
    `link add ${run.name} type bridge`,
    `addr add ${run.subnet}.1/24 dev ${run.name}`,
    `link set ${run.name} up`,
  );
  await command("iptables", ["-w", "-I", ...betweenPods(run)]);
}

/** A namespace with one address, the subnet's number `host`, and with `names` resolving to the control plane. */
export async function createNamespace(run: Run, name: string, host: number, names: string[]): Promise<void> {
  const outside = `${run.name}v${host}`;
  await mkdir(settings(name), { recursive: true });
  await writeFile(`${settings(name)}/hosts`, `127.0.0.1 localhost\n${controlAddress(run)} ${names.join(" ")}\n`);
  await writeFile(`${settings(name)}/resolv.conf`, "");
  await ipBatch(
    `netns add ${name}`,
    `link add ${outside} type veth peer name eth0 netns ${name}`,
    `link set ${outside} master ${run.name}`,
    `link set ${outside} up`,
  );
  await command("ip", ["-n", name, "-batch", "-"], {
    input: [
      "link set lo up",
      `addr add ${run.subnet}.${host}/24 dev eth0`,
      "link set eth0 up",
      ...(host === CONTROL ? [] : [`route add default via ${controlAddress(run)}`]),
    ].join("\n"),
  });
  // As a container runtime sets it: proxies without root listen on 80 and 443.
  await ip("netns", "exec", name, "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start");
}

/** Ends whatever runs in the namespace, then takes the namespace away. */
export async function removeNamespace(name: string): Promise<void> {
  for (let pids = await pidsIn(name); pids.length; pids = await pidsIn(name)) {
    for (const pid of pids) kill(pid);
    await sleep(20);
  }
  await ip("netns", "del", name);
  await rm(settings(name), { recursive: true, force: true });
}

/** Everything that carries the run's name. Nothing being there is no error. */
export async function removeNetwork(run: Run): Promise<void> {
  const names = (await ip("netns", "list")).split("\n").map((line) => line.split(" ")[0] as string);
  await Promise.all(names.filter((name) => name.startsWith(namespaceOf(run, ""))).map(removeNamespace));
  // The system takes a link away with its namespace, but that can take it a minute.
  const links = [...(await ip("-o", "link", "show", "type", "veth")).matchAll(/^\d+: ([^@]+)@/gm)].map(
    ([, link]) => `${link}`,
  );
  const own = links.filter((link) => link.startsWith(`${run.name}v`));
  await Promise.all(own.map((link) => ip("link", "del", link).catch(() => {})));
  if (!(await ip("-o", "link", "show", "type", "bridge")).includes(`: ${run.name}: `)) return;
  await ip("link", "del", run.name);
  await command("iptables", ["-w", "-D", ...betweenPods(run)]);
}

/** Lets bridged packets pass where a container engine has closed the forwarding of this machine. */
const betweenPods = (run: Run) => ["FORWARD", "-i", run.name, "-o", run.name, "-j", "ACCEPT"];

const pidsIn = async (name: string) => (await ip("netns", "pids", name)).split("\n").filter(Boolean).map(Number);

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
