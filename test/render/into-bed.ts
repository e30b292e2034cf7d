// Configurations that somebody else wrote, and the command that puts Keyway into them.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { expectGolden, runCli, transcript } from "../cli/run.ts";

const ROUTES = "routes: [{service: shop, key: pr-42, to: shop-pr-42}]\n";
export const MANAGER =
  "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

/** A listener as people write one: comments, both styles of YAML, an anchor, quotes and a folded text. */
export const LISTENER = `# The shop's listener.
name: web
address: {socket_address: {address: 0.0.0.0, port_value: 80}}   # everywhere
filter_chains:
- filters:
  - name: envoy.filters.network.http_connection_manager
    typed_config:
      '@type': ${MANAGER}
      stat_prefix: 'web'
      http_filters:
      # Limits come first.
      - name: envoy.filters.http.local_ratelimit
        typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit, stat_prefix: all}
      - name: envoy.filters.http.router   # the last
        typed_config: {'@type': ${ROUTER}}
      route_config:
        name: shop
        virtual_hosts:
        - name: shop
          domains: ['*']
          routes:
          # Moved last year.
          - match: {prefix: '/old'}
            redirect: {path_redirect: /new}

          # The basket.
          - name: cart
            match: {path: '/cart', headers: [{name: x-user, present_match: true}]}
            route: &shop {cluster: shop, timeout: 3s, retry_policy: {retry_on: 'on'}}   # slow
          - {match: {prefix: /}, route: *shop}
      access_log:
      - name: envoy.access_loggers.stdout
        typed_config:
          '@type': type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
          log_format:
            text_format_source:
              inline_string: >
                %START_TIME%
                %RESPONSE_CODE%
`;

export const folder = mkdtempSync(join(tmpdir(), "keyway-into-"));
afterAll(() => rmSync(folder, { recursive: true }));
/** A route file with one route of the service shop. */
export const routes = join(folder, "routes.yaml");
writeFileSync(routes, ROUTES);

export const into = (input: string, ...more: string[]) =>
  runCli(["render", "envoy", "-f", routes, "--into", "-", ...more], { input });
export const shows = async (name: string, input: string, ...more: string[]) =>
  expectGolden(name, transcript(await into(input, ...more)).replaceAll(`${folder}/`, ""));

export const manager = (more: object, filters: object[] = []) => ({
  "@type": MANAGER,
  http_filters: [...filters, { name: "envoy.filters.http.router", typed_config: { "@type": ROUTER } }],
  ...more,
});
export const listener = (name: string, typed_config: object) => ({
  name,
  filter_chains: [{ filters: [{ typed_config }] }],
});
export const plainRoutes = {
  virtual_hosts: [{ name: "shop", routes: [{ match: { prefix: "/" }, route: { cluster: "shop" } }] }],
};
// biome-ignore lint/suspicious/noExplicitAny: what the command prints is looked into at known places.
export type Made = any;
export const read = async (input: object, ...more: string[]): Promise<Made> => {
  const { out, err, code } = await into(JSON.stringify(input), ...more);
  expect({ code, err }).toMatchObject({ code: 0 });
  return { ...JSON.parse(out), remarks: err };
};
export const names = (list: Made[]) => list.map(({ name }) => name);
