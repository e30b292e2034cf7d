// Real etcd processes on this machine.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { etcd } from "../../scripts/parts/etcd.ts";
import { freePort } from "../registry/listening.ts";

export interface Member {
  url: string;
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Whether it leads, by its own word. */
  leads(): Promise<boolean>;
}

export interface Cluster {
  members: Member[];
  urls: string[];
  stop(): Promise<void>;
}

/** A cluster of so many members; returns once all of them answer. */
export async function startCluster(size: number): Promise<Cluster> {
  const program = await etcd();
  const directory = mkdtempSync(join(tmpdir(), "keyway-etcd-"));
  const places = await Promise.all(
    Array.from({ length: size }, async () => ({ client: await freePort(), peer: await freePort() })),
  );
  const all = places.map(({ peer }, at) => `m${at}=http://127.0.0.1:${peer}`).join(",");
  const members = places.map(({ client, peer }, at): Member => {
    const url = `http://127.0.0.1:${client}`;
    let child: ChildProcess | undefined;
    return {
      url,
      async start() {
        const own = `http://127.0.0.1:${peer}`;
        child = spawn(
          program,
          [
            ["--name", `m${at}`],
            ["--data-dir", join(directory, `m${at}`)],
            ["--listen-client-urls", url],
            ["--advertise-client-urls", url],
            ["--listen-peer-urls", own],
            ["--initial-advertise-peer-urls", own],
            ["--initial-cluster", all],
            ["--log-level", "error"],
          ].flat(),
          { stdio: "ignore" },
        );
        await answers(url);
      },
      async kill() {
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
        const ended = new Promise((resolve) => child?.once("exit", resolve));
        child.kill("SIGKILL");
        await ended;
      },
      async leads() {
        const response = await fetch(`${url}/v3/maintenance/status`, { method: "POST", body: "{}" });
        const { leader, header } = (await response.json()) as { leader: string; header: { member_id: string } };
        return leader === header.member_id;
      },
    };
  });
  await Promise.all(members.map((member) => member.start()));
  return {
    members,
    urls: members.map(({ url }) => url),
    async stop() {
      await Promise.all(members.map((member) => member.kill()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function answers(url: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const healthy = await fetch(`${url}/health`)
      .then(async (response) => ((await response.json()) as { health: string }).health === "true")
      .catch(() => false);
    if (healthy) return;
    if (tries > 150) throw new Error(`the etcd at ${url} is not healthy after 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
