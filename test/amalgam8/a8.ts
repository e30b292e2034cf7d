// A route server that Amalgam8's clients may ask.
import { type Answer, ask, type Served, sent, startServer } from "../api/serve.ts";

export interface A8 {
  served: Served;
  url: string;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The ids of the routes in the table, without what all of them begin with. */
  routes(): Promise<string[]>;
}

/** The address at which a server listens for Amalgam8's clients, as its log says it. */
export const amalgam8Of = ({ log }: { log: string[] }): string =>
  `http://${/"amalgam8":"([^"]+)"/.exec(log.join(""))?.[1]}`;

export async function startA8(flags: Record<string, string> = {}, folder?: string): Promise<A8> {
  const served = await startServer({ amalgam8: "127.0.0.1:0", ...flags }, folder);
  const url = amalgam8Of(served);
  return {
    served,
    url,
    get: (path, headers = {}) => ask(url + path, { headers }),
    send: (method, path, body, headers) => ask(url + path, sent(method, body, headers)),
    async routes() {
      const { body } = await served.ask("/v1/routes?limit=1000");
      return body.routes.map(({ id }: { id: string }) => id.replace(/^a8\./, ""));
    },
  };
}

export const backends = (...tags: string[]) => ({ backends: tags.map((tag) => ({ tags: [tag] })) });
/** A rule that sends whoever has the header's value to instances with the tag. */
export const rule = (destination: string, tag: string, more: object = {}) => ({
  destination,
  route: backends(tag),
  ...more,
});
export const forUser = (user: string) => ({ headers: { "X-User": user } });
export const instance = (service: string, value: string, more: object = {}) => ({
  service_name: service,
  endpoint: { type: "http", value },
  ...more,
});
