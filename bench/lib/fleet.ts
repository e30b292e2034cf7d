// The subjects of a run, each an Envoy of its own that is started once and idles while the others have their turn.
import { setTimeout as sleep } from "node:timers/promises";
import { METRIC_TABLE_ROUTES } from "../../routes/model/names.ts";
import { type BASELINE, bootstrap, type Json, type Site, type TARGET } from "./bootstrap.ts";
import { type EnvoyProcess, startEnvoy } from "./envoy.ts";
import { drive, LOAD_CORE, type Load, PROXY_CORE } from "./load.ts";

export type Subject = {
  name: string;
  site: Site;
  load: Load;
  workers?: number;
  goesTo: typeof BASELINE | typeof TARGET;
  /** Its routes come from elsewhere once it runs. */
  settles?: boolean;
  /** A last change to Envoy's bootstrap. */
  adapt?: (bootstrap: Json) => Json;
};

const WARM_UP_MS = 1000;

export type Running = Subject & { proxy: EnvoyProcess };

export const answer: Site = {
  host: { routes: [{ match: { prefix: "/" }, direct_response: { status: 200, body: { inline_string: "ok\n" } } }] },
};

/** Starts the subjects and their common upstream, does the work, and stops them again whatever happens. */
export async function withFleet<T>(subjects: Subject[], work: (running: Running[]) => Promise<T>): Promise<T> {
  const proxies: EnvoyProcess[] = [];
  const start = async (config: Json, core: number, workers = 1) => {
    const proxy = await startEnvoy(config, { core, workers });
    proxies.push(proxy);
    return proxy;
  };
  try {
    const upstream = await start(bootstrap(answer), LOAD_CORE);
    const running: Running[] = [];
    for (const subject of subjects) {
      const config = bootstrap(subject.site, upstream.port);
      const proxy = await start(subject.adapt?.(config) ?? config, PROXY_CORE, subject.workers);
      running.push({ ...subject, proxy });
      await warmUp({ ...subject, proxy });
    }
    return await work(running);
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.stop()));
  }
}

/** Waits until a proxy has its live table. */
async function settled(proxy: EnvoyProcess): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    const said = await proxy.admin(`/stats?filter=${METRIC_TABLE_ROUTES}`);
    if (Number(/: (\d+)/.exec(said)?.[1]) > 0) return;
    await sleep(50);
  }
  throw new Error("the live table does not come");
}

/** The first requests of a subject, which must all go where they should: a filter that fails to route is fast. */
async function warmUp({ name, proxy, load, goesTo, settles }: Running): Promise<void> {
  if (settles) await settled(proxy);
  await drive(proxy.port, load, WARM_UP_MS);
  const stats = await proxy.admin("/stats?filter=^cluster\\.[a-z]*\\.upstream_rq_200$");
  // A live table comes over a cluster of its own, and an application stands between the two listeners of its proxy.
  const goesWell = (line: string) =>
    line === "" || ["keyway", "app", goesTo].some((name) => line.startsWith(`cluster.${name}.`));
  const astray = stats.split("\n").filter((line) => !goesWell(line));
  if (astray.length > 0 || stats.trim() === "") {
    throw new Error(
      `${name}: all requests should go to the cluster "${goesTo}", but Envoy counted ${stats.trim() || "none"}`,
    );
  }
}
