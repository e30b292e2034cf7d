// Serves Amalgam8's clients: its registry and its rules, on one address.
import { KeywayError } from "../../../shared/errors.ts";
import { within } from "../../../shared/within.ts";
import { isLoopback, parseAddress } from "../../address.ts";
import type { CommitParts } from "../../api/commit.ts";
import type { Api } from "../../api/context.ts";
import { everybody } from "../../auth/authenticator.ts";
import { systemClock } from "../../expiry.ts";
import { createHttpServer, end, LIMITS, listen } from "../../http.ts";
import { flagOf, type Settings } from "../../settings.ts";
import type { Door } from "../door.ts";
import { createA8App } from "./app.ts";
import type { Bindings } from "./call.ts";
import { errorBody } from "./errors.ts";
import { Registry } from "./registry.ts";
import { registryEndpoints } from "./registry-api.ts";
import { RouteWriter } from "./route-writer.ts";
import { Rulebook, type StoredRule } from "./rulebook.ts";
import { rulesEndpoints } from "./rules-api.ts";
import { ID_PREFIX, translate } from "./translate.ts";

/** Milliseconds between two looks at what has expired. */
const LOOK_MS = 100;

export interface Parts {
  settings: Pick<Settings, "amalgam8" | "amalgam8Map" | "maxConnections">;
  api: CommitParts & Pick<Api, "authenticator" | "metrics" | "log">;
}

/** Undefined where no client is to be served. Throws a KeywayError where the address, or what was kept, can't be had. */
export async function openAmalgam8({ settings, api }: Parts): Promise<Door | undefined> {
  const address = settings.amalgam8 === undefined ? undefined : parseAddress(settings.amalgam8);
  if (address === undefined) return undefined;
  const { store, authenticator, metrics, log } = api;
  if (authenticator === everybody && !isLoopback(address.host)) throw exposed(`${settings.amalgam8}`);
  const registry = new Registry(store.documents, systemClock);
  const rulebook = new Rulebook(store.documents);
  const of = (namespace: string, rules: readonly StoredRule[] = rulebook.of(namespace).rules) =>
    translate(rules, {
      namespace,
      mappings: settings.amalgam8Map ?? [],
      isThere: (service, tags) => registry.isThere(namespace, service, tags),
    });
  const wanted = () => rulebook.namespaces.flatMap((namespace) => of(namespace).routes);
  const writer = new RouteWriter(api, wanted, (thrown) =>
    log.error({ err: thrown }, "the routes of Amalgam8's rules can't be written; it is tried again"),
  );
  registry.onChange = () => writer.changed();
  rulebook.onChange = () => writer.changed();
  await store.documents.follow((changes) => {
    rulebook.take(changes);
    registry.take(changes);
  });
  registry.loaded();
  for (const namespace of rulebook.namespaces) {
    for (const { rule, place, message } of of(namespace).refusals) {
      log.warn({ namespace, rule: rule.rule.id, place, message }, "this rule is carried over no more");
    }
  }
  const written = () => writer.write();
  const endpoints = [...rulesEndpoints({ rulebook, translate: of, written }), ...registryEndpoints(registry, written)];
  const app = createA8App({ endpoints, authenticator, log });
  const server = createHttpServer(
    (request, bindings) => app(request, bindings as Bindings),
    { ...LIMITS, connections: settings.maxConnections },
    {
      form: {
        type: "application/json",
        body: ({ message }) =>
          JSON.stringify({ ...errorBody({ id: "error_invalid_json", message }, true), Error: message }),
      },
    },
  );
  metrics.show("keyway_server_amalgam8_rules", () => rulebook.size);
  metrics.show("keyway_server_amalgam8_instances", () => registry.size);
  const stopExpiry = expire(registry, written, (thrown) => {
    log.error({ err: thrown }, "instances that have expired can't be taken away; it is tried again");
  });
  const close = async (limitMs: number) => {
    stopExpiry();
    registry.close();
    await Promise.all([end(server, limitMs), within(limitMs, writer.close())]);
  };
  try {
    const { host, port } = await listen(server, address, flagOf("amalgam8"));
    log.info({ amalgam8: `${host.includes(":") ? `[${host}]` : host}:${port}` }, "listening for Amalgam8's clients");
  } catch (thrown) {
    await close(0);
    throw thrown;
  }
  return { close, managed };
}

function managed(id: string) {
  if (!id.startsWith(ID_PREFIX)) return undefined;
  const next = `take another id than ${ID_PREFIX}…, or change the rule by Amalgam8's API: GET /v1/rules says which there are`;
  return { from: "Amalgam8's rules", next };
}

/** Takes away, all the time, the instances of which no heartbeat has come, and with them the routes that led there. */
function expire(registry: Registry, written: () => Promise<void>, failed: (thrown: unknown) => void): () => void {
  let isBusy = false;
  let hasFailed = false;
  const look = async () => {
    if (isBusy) return;
    isBusy = true;
    try {
      if ((await registry.expire()) > 0) await written();
      hasFailed = false;
    } catch (thrown) {
      if (!hasFailed) failed(thrown);
      hasFailed = true;
    }
    isBusy = false;
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  return () => clearInterval(timer);
}

function exposed(address: string): KeywayError {
  return new KeywayError(
    `whoever reaches ${address} could change routes: without tokens Amalgam8's clients are served on this machine alone`,
    { next: "give --tokens FILE, or --amalgam8 127.0.0.1:PORT" },
  );
}
