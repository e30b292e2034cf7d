// What becomes of requests when the place where the routes are kept fails: a disk, a database, a cluster of etcd, an API server, a clock.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../api/serve.ts";
import { fileWith } from "../cluster/connect.ts";
import { startCluster } from "../etcd/cluster.ts";
import { inForce, underLoad, withKey } from "./bed/live.ts";
import { live } from "./bed/live-store.ts";
import { keyed } from "./bed/route-server.ts";

test("the leader of three etcds is killed: what was acknowledged is in force, and changes go on within seconds", async () => {
  const cluster = await startCluster(3);
  onTestFinished(() => cluster.stop());
  const { bed, change, put, setAtLast } = await live(`etcd:${cluster.urls.join(",")}`);
  await underLoad(bed, async () => {
    await change("before");
    const acknowledged: string[] = [];
    let killed = false;
    const writing = Array.from({ length: 4 }, async (_, writer) => {
      for (let n = 0; n < 60; n++) {
        const key = `w${writer}-${n}`;
        if ((await put(keyed(key, "b"))).status < 300) acknowledged.push(key);
        else if (!killed) throw new Error("refused before the leader was killed");
        await sleep(20);
      }
    });
    await sleep(500);
    const leads = await Promise.all(cluster.members.map((member) => member.leads()));
    killed = true;
    await cluster.members[leads.indexOf(true)]?.kill();
    await Promise.all(writing);
    await setAtLast("after");
    await inForce(bed, withKey("after"), "b", { before: ["reviews"] });
    for (const key of acknowledged) expect(`${key} at ${(await bed.keyed(key)).service}`).toBe(`${key} at b`);
    expect(acknowledged.length).toBeGreaterThan(20);
  });
});

test("the disk is full: what was acknowledged is in force, the rest is refused, and all goes on with more room", async () => {
  const store = `sqlite:${join(temporaryFolder(), "keyway.db")}`;
  // In blocks of 512 bytes; a write beyond it fails as on a full disk.
  const { bed, change, put, restart, stop, setAtLast } = await live(store, { before: "trap '' XFSZ; ulimit -f 1024" });
  await underLoad(bed, async () => {
    await change("before");
    const acknowledged: string[] = [];
    let refused = 0;
    for (let n = 0; refused === 0 && n < 2000; n++) {
      const { status } = await put(keyed(`fill-${n}`, "b", { owner: "o".repeat(200) }));
      if (status === 201) acknowledged.push(`fill-${n}`);
      else refused = status;
    }
    expect([503, 507]).toContain(refused);
    await inForce(bed, withKey(`${acknowledged.at(-1)}`), "b", { before: ["reviews"] });
    expect((await bed.keyed(`fill-${acknowledged.length}`)).service).toBe("reviews");
    await stop("SIGKILL");
    await restart({});
    await setAtLast("after");
    await inForce(bed, withKey("after"), "b", { before: ["reviews"] });
    for (const key of acknowledged) expect((await bed.keyed(key)).service).toBe("b");
  });
});

test("a damaged database is not served: proxies keep their table until a backup is restored", async () => {
  const folder = temporaryFolder();
  const [file, backup] = [join(folder, "keyway.db"), join(folder, "backup.db")];
  const { bed, change, set, stop, restart } = await live(`sqlite:${file}`);
  for (let n = 0; n < 300; n++) await set(keyed(`many-${n}`, "b", { owner: "o".repeat(100) }));
  await inForce(bed, withKey("many-299"), "b");
  await stop();
  copyFileSync(file, backup);
  await underLoad(bed, async () => {
    await restart();
    await change("newer");
    await stop();
    const damaged = readFileSync(file);
    damaged.fill(0xa5, 4096, damaged.length - 4096);
    writeFileSync(file, damaged);
    await expect(restart()).rejects.toThrow(/the database is damaged[\s\S]*copy a backup/);
    await sleep(1000);
    expect([(await bed.keyed("newer")).service, (await bed.keyed("many-7")).service]).toEqual(["b", "b"]);
    copyFileSync(backup, file);
    await restart();
    await inForce(bed, withKey("newer"), "reviews", { before: ["b"] });
    expect((await bed.keyed("many-7")).service).toBe("b");
    await change("after");
  });
});

test("the server's clock jumps by hours and back: no route goes before its time, and changes are in force all the while", async () => {
  const preload = await fileWith(
    `const real = Date.now; let ahead = 0;
     Date.now = () => real() + ahead;
     process.on("SIGUSR2", () => { ahead = ahead === 0 ? 3 * 3600_000 : 0; });`,
    "clock.mjs",
  );
  const store = `sqlite:${join(temporaryFolder(), "keyway.db")}`;
  const options = { before: `export NODE_OPTIONS="--import=file://${preload}"` };
  const { bed, change, set, server } = await live(store, options);
  await set(keyed("two-hours", "b", { ttl: "2h" }));
  await inForce(bed, withKey("two-hours"), "b");
  await underLoad(bed, async () => {
    const jumps = () => server.log.filter((line) => line.includes("the clock has jumped")).length;
    for (const [nth, key] of ["ahead", "back"].entries()) {
      server.process.kill("SIGUSR2");
      await expect.poll(jumps, { timeout: 20_000 }).toBe(nth + 1);
      await change(key);
      await sleep(1500);
      expect((await server.ask("/v1/routes/two-hours")).status).toBe(200);
      expect((await bed.keyed("two-hours")).service).toBe("b");
    }
  });
});
