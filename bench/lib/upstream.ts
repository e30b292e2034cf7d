// The upstream of all subjects: an Envoy that answers by itself, on the load generator's core.
import { bootstrap } from "./bootstrap.ts";
import { type EnvoyProcess, startEnvoy } from "./envoy.ts";
import { LOAD_CORE } from "./load.ts";

export function startUpstream(): Promise<EnvoyProcess> {
  const answer = { direct_response: { status: 200, body: { inline_string: "ok\n" } } };
  return startEnvoy(bootstrap({ host: { routes: [{ match: { prefix: "/" }, ...answer }] } }), { core: LOAD_CORE });
}
