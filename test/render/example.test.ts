// envoy.yaml, which people read first, says what the command prints.
import { expect, test } from "vitest";
import { guardRoutes, watcher } from "../../installer/render/parts.ts";
import { proofFor, removes } from "../../installer/twins/headers.ts";
import { example, type Listener, manager } from "../../scripts/proxy/bootstrap.ts";

const { route_config, access_log } = manager(example().static_resources.listeners[0] as Listener);

test("its guards are those of `render envoy --part route`", () => {
  expect(route_config.virtual_hosts[0]?.routes.slice(0, 2)).toEqual(guardRoutes(proofFor("inside")));
  expect(removes(route_config)).toBe(true);
});

test("its watcher is that of `render envoy --part access-log`", () => {
  expect(access_log[0]).toEqual(watcher({ watch: "build/keyway-watch.wasm" }));
});
