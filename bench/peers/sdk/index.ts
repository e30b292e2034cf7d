// The peer of the benchmarks: what Keyway's hot path does, on the stock wrappers of @solo-io/proxy-runtime. Its own reading of the
// configuration writes to a stray address, so the one key of the table stands here.
export * from "@solo-io/proxy-runtime/assembly/proxy";
import {
  Context,
  FilterHeadersStatusValues,
  registerRootContext,
  RootContext,
  stream_context,
} from "@solo-io/proxy-runtime/assembly";
import { set_property } from "@solo-io/proxy-runtime/assembly/runtime";

const table = new Map<string, string>();
table.set("pr-000000", "target");

class Root extends RootContext {
  createContext(id: u32): Context {
    return new Request(id, this);
  }

  onConfigure(_size: u32): bool {
    return true;
  }
}

class Request extends Context {
  constructor(id: u32, root: Root) {
    super(id, root);
  }

  onRequestHeaders(_headers: u32, _end: bool): FilterHeadersStatusValues {
    const headers = stream_context.headers.request;
    headers.remove("x-keyway-cluster");
    const key = headers.get("x-routing-key");
    if (table.has(key)) {
      const target = table.get(key);
      set_property("keyway", String.UTF8.encode("routed"));
      headers.replace("x-keyway-cluster", target);
      headers.replace("x-keyway-routed", target);
    }
    return FilterHeadersStatusValues.Continue;
  }
}

registerRootContext((id: u32) => new Root(id), "keyway");
