// Where a request would go, as a proxy's filter would decide.
import { type Explanation as Explained, explain } from "../../routes/deciding/explain.ts";
import { candidates, type Pairs } from "../../routes/deciding/scan.ts";
import { toLatin1 } from "../../routes/model/bytes.ts";
import type { StoredRoute } from "../../routes/model/live-route.ts";
import type { Route } from "../../routes/model/model.ts";
import { splitSigned } from "../../routes/model/signed-key.ts";
import { isHeaderName, sourcesOf } from "../../routes/model/sources.ts";
import { diagnosticsOf } from "../../routes/reading/validate.ts";
import type { Naming } from "../feed/naming.ts";
import { readJson } from "./body.ts";
import type { Api } from "./context.ts";
import { type Endpoint, errors, json } from "./endpoint.ts";
import { invalid } from "./errors.ts";
import { hinted } from "./hints.ts";
import { namesFor, namesOfServices } from "./naming.ts";
import { readQuery } from "./query.ts";
import { Explain, Explanation, NoQuery } from "./schemas.ts";

export const explainEndpoint: Endpoint = {
  path: "/v1/explain",
  method: "post",
  role: "read",
  documentation: {
    operationId: "explainRequest",
    summary: "Say where a request goes and why, as a proxy's filter decides",
    request: { body: { content: json(Explain), required: true } },
    responses: {
      200: { description: "the decision", content: json(Explanation) },
      ...errors(400, 401, 403, 408, 413, 415),
    },
  },
  async handle(request, api) {
    readQuery(request, NoQuery);
    const body = Explain.safeParse(await readJson(request.env.incoming, api.maxBody));
    if (!body.success) throw invalid("the request can't be used", hinted(diagnosticsOf(body.error, []), Explain));
    const { method = "GET", path = "/", headers: given = [], from, service, caller } = body.data;
    const refuse = (message: string, ...at: (string | number)[]) =>
      invalid("the request can't be used", [{ path: at, message }]);
    if ((from === undefined) === (service === undefined)) throw refuse("exactly one of from, service is needed");
    const unnamed = given.findIndex(([name]) => !isHeaderName(name));
    if (unnamed >= 0) throw refuse("not a header's name", "headers", unnamed, 0);
    const cluster = from ?? service ?? "";
    const naming = service === undefined ? namesFor(cluster, api.surroundings) : namesOfServices(service);
    if (naming instanceof Error) throw refuse(naming.message, "service");
    const headers: Pairs = [
      [":method", toLatin1(method)],
      [":path", toLatin1(path)],
      ...given.map(([name, value]) => pair(name, value)),
    ];
    const texts = textsIn(headers, cluster, api);
    const routes = routesFor(texts, naming, api);
    const { keys, hierarchy } = api;
    const configuration = {
      keys,
      routes,
      explain: false,
      strict: false,
      ...(hierarchy !== undefined && { hierarchy }),
    };
    const explanation = explain(configuration, { headers, cluster, now: api.now(), caller });
    return request.json(isUnverified(explanation, texts) ? unverified(explanation) : explanation);
  },
};

function pair(name: string, value: string): [string, string] {
  const lower = name.toLowerCase();
  return [lower === "host" ? ":authority" : lower, toLatin1(value)];
}

/** What stands in the sources. */
function textsIn(headers: Pairs, cluster: string, { keys }: Api): Set<string> {
  return new Set(keys.flatMap(sourcesOf).flatMap((source) => candidates(source, headers, cluster)));
}

/** Whether a signed key has no route as the plain text that it is here. */
function isUnverified({ outcome }: Explained, texts: ReadonlySet<string>): boolean {
  const hasNoRoute = outcome === "baseline" || outcome === "invalid_key";
  return hasNoRoute && [...texts].some((text) => splitSigned(text) !== undefined);
}

function unverified({ why, ...explanation }: Explained): Explained {
  const hint =
    "what stands there has the form of a signed key, which proxies verify whose edge has keys, and this server does not; " +
    "`keyway route explain -f` with the route file of such a proxy does";
  return { ...explanation, why: `${why}; ${hint}` };
}

/** The routes that can have a say: those of the request's keys, and those without a key. */
function routesFor(texts: ReadonlySet<string>, naming: Naming, { state, hierarchy }: Api): Route[] {
  const wanted = new Set(texts);
  if (hierarchy !== undefined) {
    for (const key of [...wanted]) {
      for (let at = key.lastIndexOf(hierarchy); at > 0; at = key.lastIndexOf(hierarchy, at - 1))
        wanted.add(key.slice(0, at));
    }
  }
  const named = (routes: Iterable<StoredRoute>) => [...routes].flatMap(naming);
  return [...[...wanted].flatMap((key) => named(state.ofKey(key))), ...named(state.unkeyed())];
}
