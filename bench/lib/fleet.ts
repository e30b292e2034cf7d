// The subjects of a run, each an Envoy of its own that is started once and idles while the others have their turn.
import { type BASELINE, bootstrap, type Json, type Site, type TARGET } from "./bootstrap.ts";
import { type EnvoyProcess, startEnvoy } from "./envoy.ts";
import { drive, LOAD_CORE, type Load, PROXY_CORE } from "./load.ts";

export type Subject = {
  name: string;
  site: Site;
  load: Load;
  workers?: number;
  goesTo: typeof BASELINE | typeof TARGET;
  /** A last change to Envoy's bootstrap. */
  adapt?: (bootstrap: Json) => Json;
};

const WARM_UP_MS = 1000;

export type Running = Subject & { proxy: EnvoyProcess };

const answer: Site = {
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

/** The first requests of a subject, which must all go where they should: a filter that fails to route is fast. */
async function warmUp({ name, proxy, load, goesTo }: Running): Promise<void> {
  await drive(proxy.port, load, WARM_UP_MS);
  const stats = await proxy.admin("/stats?filter=^cluster\\.[a-z]*\\.upstream_rq_200$");
  const astray = stats.split("\n").filter((line) => line !== "" && !line.startsWith(`cluster.${goesTo}.`));
  if (astray.length > 0 || stats.trim() === "") {
    throw new Error(
      `${name}: all requests should go to the cluster "${goesTo}", but Envoy counted ${stats.trim() || "none"}`,
    );
  }
}
