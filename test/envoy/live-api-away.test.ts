// The API server, where the routes are kept, is away for a minute. A file of its own, as others run meanwhile.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { fileWith, server as startApi } from "../cluster/connect.ts";
import { cutConnection } from "../double/faults.ts";
import { kubeconfig } from "../double/kubeconfig.ts";
import { inForce, underLoad, withKey } from "./bed/live.ts";
import { live } from "./bed/live-store.ts";
import { keyed } from "./bed/route-server.ts";

const AWAY = 60_000; // milliseconds
/** Between two looks at what is in force and what is refused, at least. */
const BETWEEN = 5000; // milliseconds

test("the API server is away: the table serves, writes are refused, and what happened meanwhile is in force afterwards", async () => {
  const api = await startApi();
  api.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "demo", uid: "a-namespace" } });
  const before = `export KUBECONFIG=${await fileWith(kubeconfig(api))}`;
  const { bed, change, put, setAtLast } = await live("kubernetes", {
    before,
    flags: ["--anonymous", "read,write,proxy"],
  });
  await underLoad(bed, async () => {
    await change("before");
    api.faults.add(/./, cutConnection, Number.POSITIVE_INFINITY);
    api.cut();
    api.put({
      apiVersion: "keyway.dev/v1alpha1",
      kind: "Route",
      metadata: { name: "meanwhile", namespace: "demo" },
      spec: { service: "reviews", key: "meanwhile", to: "b" },
    });
    for (const start = performance.now(); performance.now() - start < AWAY; ) {
      const refused = put(keyed("refused", "b"));
      await sleep(BETWEEN);
      expect((await refused).status).toBe(503);
      expect((await bed.keyed("before")).service).toBe("b");
      expect((await bed.keyed("meanwhile")).service).toBe("reviews");
    }
    api.faults.clear();
    await inForce(bed, withKey("meanwhile"), "b", { before: ["reviews"] });
    expect((await bed.keyed("refused")).service).toBe("reviews");
    await setAtLast("after");
    await inForce(bed, withKey("after"), "b", { before: ["reviews"] });
  });
}, 180_000);
