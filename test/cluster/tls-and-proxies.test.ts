// How the client gets to an API server: certificates, names, and proxies in between.
import { createServer, type Server } from "node:http";
import { connect as connectTo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { getFromPod } from "../../shared/cluster/port-forward.ts";
import { admin } from "../double/port-forward.ts";
import { connect, server } from "./connect.ts";

/** A proxy for CONNECT that leads every name to this machine, and what it was asked for. */
async function startProxy() {
  const asked: { target: string; authorization: string | undefined }[] = [];
  const proxy: Server = createServer();
  proxy.on("connect", (request, socket) => {
    asked.push({ target: `${request.url}`, authorization: request.headers["proxy-authorization"] });
    const far = connectTo(Number(`${request.url}`.split(":")[1]), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      far.pipe(socket).pipe(far);
    });
    socket.on("error", () => far.destroy());
    far.on("error", () => socket.destroy());
    socket.on("close", () => far.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return { asked, port: (proxy.address() as { port: number }).port };
}

test("the certificate must be of the kubeconfig's authority and for the server's name", async () => {
  const api = await server({ tls: true });
  expect(await (await connect(api)).serverVersion()).toBe("v1.36.3");
  const other = { "certificate-authority-data": "" };
  await expect((await connect(api, { cluster: other })).serverVersion()).rejects.toThrow(
    /certificate of the API server is not trusted: self.signed certificate$/,
  );
  const skipping = { ...other, "insecure-skip-tls-verify": true };
  expect(await (await connect(api, { cluster: skipping })).serverVersion()).toBe("v1.36.3");
  const named = (name: string) => ({ server: api.url, "tls-server-name": name });
  expect(await (await connect(api, { cluster: named("api.test") })).serverVersion()).toBe("v1.36.3");
  await expect((await connect(api, { cluster: named("else.test") })).serverVersion()).rejects.toThrow(
    /is not trusted: .*does not match/,
  );
});

test.each(["http", "https"])("a %s server behind the environment's proxy, port-forwards too", async (scheme) => {
  const { asked, port } = await startProxy();
  const api = await server({ tls: scheme === "https" });
  api.pods.listen("demo/reviews-1", 15000, admin({ "/ready": "LIVE" }));
  const name = api.url.replace("127.0.0.1", "api.test");
  const env = { [`${scheme}_proxy`.toUpperCase()]: `http://me:secret@127.0.0.1:${port}` };
  const cluster = await connect(api, { env, cluster: { server: name } });
  expect(await cluster.serverVersion()).toBe("v1.36.3");
  const at = { namespace: "demo", pod: "reviews-1", port: 15000 };
  expect((await getFromPod(cluster, at, "/ready", cluster.options.signal)).body).toBe("LIVE");
  const authorization = `Basic ${Buffer.from("me:secret").toString("base64")}`;
  expect(new Set(asked.map((one) => JSON.stringify(one)))).toEqual(
    new Set([JSON.stringify({ target: new URL(name).host, authorization })]),
  );
});

test("the kubeconfig's own proxy wins over the environment's", async () => {
  const { asked, port } = await startProxy();
  const api = await server({ tls: true });
  const cluster = { server: api.url.replace("127.0.0.1", "api.test"), "proxy-url": `http://127.0.0.1:${port}` };
  const env = { HTTPS_PROXY: "http://127.0.0.1:1", NO_PROXY: "api.test" };
  expect(await (await connect(api, { env, cluster })).serverVersion()).toBe("v1.36.3");
  expect(asked).toHaveLength(1);
});

test("no proxy stands before this machine's own addresses, nor where NO_PROXY excepts the host", async () => {
  const api = await server({ tls: true });
  const env = { HTTPS_PROXY: "http://127.0.0.1:1" };
  expect(await (await connect(api, { env })).serverVersion()).toBe("v1.36.3");
  const name = api.url.replace("127.0.0.1", "keyway-no-such-host.invalid");
  const excepted = await connect(api, { env: { ...env, NO_PROXY: ".invalid" }, cluster: { server: name } });
  await expect(excepted.serverVersion()).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
});

test("an address with a path of its own", async () => {
  const api = await server();
  const cluster = await connect(api, { cluster: { server: `${api.url}/k8s/clusters/c-1` } });
  await cluster.serverVersion().catch(() => {});
  expect(api.requests).toEqual(["GET /k8s/clusters/c-1/version"]);
});

test("a client certificate that is none is told for what it is", async () => {
  const none = Buffer.from("nothing").toString("base64");
  const api = await server({ tls: true });
  const user = { "client-certificate-data": none, "client-key-data": none };
  await expect((await connect(api, { user })).serverVersion()).rejects.toThrow(
    /^a certificate or key of the kubeconfig is none/,
  );
});
