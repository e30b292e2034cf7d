// What a VM calls by a context id: the VM itself (id 0), a plugin configuration (root), or one request (stream).
import { FilterState, type Prototype } from "./filter-state.ts";
import { Headers, type Pairs } from "./headers.ts";

export type Plugin = { name: string; rootId: string; configuration: Buffer };

export class Context {
  readonly id: number;
  readonly root: Context;
  readonly plugin: Plugin | undefined;
  readonly prototypes = new Map<string, Prototype>();
  /** Readable by the module while it is being configured, and only then. */
  configuration: Buffer | undefined;
  exchange: Exchange | undefined;
  /** Inside `proxy_on_log` of an access logger: nothing can be changed any more. */
  logging = false;
  tickMs = 0;
  /** Inside of `proxy_on_http_call_response`, the headers of the answer. */
  callHeaders: Headers | undefined;
  /** And its body. */
  callBody: Uint8Array | undefined;

  constructor(id: number, plugin: Plugin | undefined, root?: Context) {
    this.id = id;
    this.plugin = plugin;
    this.root = root ?? this;
  }
}

export type LocalResponse = { status: number; headers: Pairs; body: string; details: string };

/** One request on its way through the proxy. */
export class Exchange {
  readonly headers: Headers;
  /** The cluster that the proxy's own route gives; undefined where it gives none. */
  readonly cluster: string | undefined;
  /** The identity in the caller's certificate, where it showed one. */
  readonly caller: string | undefined;
  /** The hosts of the services in the cluster's metadata, as Istio has them. */
  services: readonly string[] = [];
  readonly state = new FilterState();
  local: LocalResponse | undefined;
  status = 0;
  details = "";
  /** Envoy's bits for what went wrong, and the endpoints of the cluster that was tried. */
  flags = 0;
  endpoints: number | undefined;
  /** Whether a filter has set that the request asks for a subset of the cluster's hosts. */
  readonly subset: boolean;
  /** That the request came to, and the direction of that listener. */
  readonly port: number;
  readonly direction: string;

  constructor(
    headers: Pairs,
    cluster: string | undefined,
    subset = false,
    caller?: string,
    { port, direction }: { port: number; direction: string } = { port: 0, direction: "" },
  ) {
    this.port = port;
    this.direction = direction;
    this.subset = subset;
    this.headers = new Headers(headers);
    this.cluster = cluster;
    this.caller = caller;
  }
}
