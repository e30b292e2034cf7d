// A live table, put into configurations that somebody else wrote.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli } from "../cli/run.ts";
import { folder, into, LISTENER, listener, type Made, manager, names, plainRoutes, read, routes } from "./into-bed.ts";

describe("a live table", () => {
  const file = (clusters?: object[]) => ({
    static_resources: {
      listeners: [listener("web", manager({ route_config: plainRoutes }))],
      ...(clusters && { clusters }),
    },
  });
  const shop = [{ name: "shop" }, { name: "shop-pr-42" }];
  const table = ["--table", "routes.example.com:8700", "--table", "10.0.0.7:8700", "--table-scope", "demo/shop"];
  const configuration = (made: Made) =>
    JSON.parse(
      made.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters[0].typed_config.config
        .configuration.value,
    );
  const addresses = (cluster: Made) =>
    cluster.load_assignment.endpoints[0].lb_endpoints.map(
      ({ endpoint }: Made) =>
        `${endpoint.address.socket_address.address}:${endpoint.address.socket_address.port_value}`,
    );

  test("has its place in the configuration, and a cluster of its servers", async () => {
    const made = await read(file(shop), ...table);
    expect(made.remarks).toBe("");
    expect(configuration(made).table).toEqual({
      cluster: "keyway",
      authority: "routes.example.com:8700",
      scope: "demo/shop",
    });
    const { clusters } = made.static_resources;
    expect(names(clusters)).toEqual(["shop", "shop-pr-42", "keyway"]);
    expect(clusters[2]).toMatchObject({ type: "STRICT_DNS", connect_timeout: "1s" });
    expect(addresses(clusters[2])).toEqual(["routes.example.com:8700", "10.0.0.7:8700"]);
    const { out } = await into(JSON.stringify(file(shop)), ...table);
    expect(await into(out, ...table)).toEqual({ code: 0, out, err: "" });
    expect(names((await read(file(), ...table)).static_resources.clusters)).toEqual(["keyway"]);
  });

  test("whose server has moved keeps what somebody else has said of the cluster", async () => {
    const tls = { name: "envoy.transport_sockets.tls" };
    const made = await read(
      file([...shop, { name: "keyway", connect_timeout: "9s", transport_socket: tls }]),
      ...table,
    );
    const { clusters } = made.static_resources;
    expect(names(clusters)).toEqual(["shop", "shop-pr-42", "keyway"]);
    expect(clusters[2]).toMatchObject({ type: "STRICT_DNS", connect_timeout: "9s", transport_socket: tls });
    expect(addresses(clusters[2])[0]).toBe("routes.example.com:8700");
  });

  test("in a file without clusters is told", async () => {
    const { out, err } = await into(LISTENER, "--table", "10.0.0.7:8700");
    expect(out).toContain('"table": {"cluster":"keyway","authority":"10.0.0.7:8700"}');
    expect(err).toMatch(/standard input:\d+:\d+: no clusters in this file: put what `--part cluster` prints/);
  });

  test("needs no route file; its token shows in the configuration and never in a difference", async () => {
    const token = join(folder, "token");
    await writeFile(token, "s3cret-token\n");
    const input = JSON.stringify(file(shop), null, 2);
    const args = ["render", "envoy", "--into", "-", "--table", "[::1]:8700", "--table-token-file", token];
    const { code, out } = await runCli(args, { input });
    expect(code).toBe(0);
    expect(configuration(JSON.parse(out))).toMatchObject({
      routes: [],
      table: { cluster: "keyway", authority: "[::1]:8700", token: "s3cret-token" },
    });
    const check = await runCli([...args, "--check"], { input });
    expect(check.code).toBe(1);
    expect(check.out).toContain("***");
    expect(check.out + check.err).not.toContain("s3cret");
  });

  test.each([
    ["a scope without a server", ["--table-scope", "a"], "--table is missing"],
    ["a token without a server", ["--table-token-file", "a"], "--table is missing"],
    ["its cluster without a server", ["--part", "cluster"], "--table is missing"],
    ["no server's address", ["--table", "routes"], "expected HOST:PORT"],
    ["a scope that is too long", ["--table", "a:1", "--table-scope", "a".repeat(4097)], "longer than 4096 bytes"],
  ])("%s is wrong usage", async (_, args, said) => {
    const { code, err } = await runCli(["render", "envoy", "-f", routes, ...args]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(said) });
  });
});
