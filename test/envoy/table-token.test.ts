// A route server's token that Envoy adds to the filter's questions, in place of `table.token`.
import { createHash } from "node:crypto";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { inForce, startLive, withKey } from "./bed/live.ts";
import { keyed, Routes } from "./bed/route-server.ts";

const PROTOCOL = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const type = (name: string) => `type.googleapis.com/${name}`;

/** What docs/operations.md has people add to the cluster of route servers. */
const injecting = (file: string) => ({
  [PROTOCOL]: {
    "@type": type(PROTOCOL),
    explicit_http_config: { http_protocol_options: {} },
    http_filters: [
      {
        name: "envoy.filters.http.credential_injector",
        typed_config: {
          "@type": type("envoy.extensions.filters.http.credential_injector.v3.CredentialInjector"),
          credential: {
            name: "envoy.http.injected_credentials.generic",
            typed_config: {
              "@type": type("envoy.extensions.http.injected_credentials.generic.v3.Generic"),
              credential: { name: "keyway_token", sds_config: { path_config_source: { path: file } } },
            },
          },
        },
      },
      {
        name: "envoy.filters.http.upstream_codec",
        typed_config: { "@type": type("envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec") },
      },
    ],
  },
});

test("a token that stands in a file is shown to the route server and not in the configuration dump, and changes with the file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "keyway-token-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const put = (name: string, content: object) => {
    writeFileSync(join(folder, `${name}.new`), JSON.stringify(content));
    renameSync(join(folder, `${name}.new`), join(folder, name));
  };
  const admit = (token: string) => {
    const sha256 = createHash("sha256").update(token).digest("hex");
    put("tokens.yaml", { anonymous: ["read", "write"], tokens: [{ name: "proxies", sha256, roles: ["proxy"] }] });
  };
  const show = (token: string) => {
    const secret = {
      "@type": type("envoy.extensions.transport_sockets.tls.v3.Secret"),
      name: "keyway_token",
      generic_secret: { secret: { inline_string: `Bearer ${token}` } },
    };
    put("secret.yaml", { resources: [secret] });
  };
  admit("sesame-one");
  show("sesame-one");
  const routes = new Routes();
  onTestFinished(() => routes.stop());
  await routes.start("--tokens", join(folder, "tokens.yaml"));
  const bed = await startLive({
    servers: [routes.port],
    targets: ["a", "b"],
    change: ({ static_resources: { clusters } }) => {
      const keyway = clusters.find(({ name }: { name: string }) => name === "keyway");
      Object.assign(keyway as object, { typed_extension_protocol_options: injecting(join(folder, "secret.yaml")) });
    },
  });
  onTestFinished(() => bed.stop());
  await routes.set(keyed("one", "a"));
  await inForce(bed, withKey("one"), "a");
  const dump = await bed.envoy.ask("/config_dump");
  expect(dump).toContain("keyway_token");
  expect(dump).not.toContain("sesame");
  admit("sesame-two");
  show("sesame-two");
  await routes.set(keyed("two", "b"));
  await inForce(bed, withKey("two"), "b");
});
