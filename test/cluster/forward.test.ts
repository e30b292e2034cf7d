import { expect, test, vi } from "vitest";
import { getFromPod } from "../../shared/cluster/port-forward.ts";
import { cutConnection, noRights, unavailable } from "../double/faults.ts";
import { admin, stopped } from "../double/port-forward.ts";
import { connect, server } from "./connect.ts";

const at = { namespace: "demo", pod: "reviews-1", port: 15000 };
const { signal } = new AbortController();

test("asks what listens in the pod, over plain HTTP and over TLS", async () => {
  for (const tls of [false, true]) {
    const api = await server({ tls });
    const large = "x".repeat(300_000);
    api.pods.listen("demo/reviews-1", 15000, admin({ "/server_info": { state: "LIVE" }, "/config_dump": large }));
    const cluster = await connect(api);
    expect(await getFromPod(cluster, at, "/server_info", signal)).toEqual({ status: 200, body: '{"state":"LIVE"}' });
    expect((await getFromPod(cluster, at, "/config_dump", signal)).body).toHaveLength(large.length);
    expect((await getFromPod(cluster, at, "/other", signal)).status).toBe(404);
  }
});

test("nobody who listens, and a refusal, are told with the pod", async () => {
  const api = await server();
  const cluster = await connect(api);
  await expect(getFromPod(cluster, at, "/", signal)).rejects.toMatchObject({
    message: expect.stringContaining("connection refused"),
    where: "pod demo/reviews-1, port 15000",
  });
  api.faults.add(
    /portforward/,
    noRights('pods "reviews-1" is forbidden: User "eve" cannot create resource "pods/portforward"'),
  );
  await expect(getFromPod(cluster, at, "/", signal)).rejects.toMatchObject({ code: 403, next: "ask for rights" });
  api.faults.add(/portforward/, cutConnection, 100);
  await expect(getFromPod(cluster, at, "/", signal)).rejects.toThrow("can't be reached");
});

test("what is stopped does not answer, within a limit", async () => {
  const api = await server();
  const cluster = await connect(api);
  const reached = vi.fn();
  api.pods.listen("demo/reviews-1", 15000, (request, response) => {
    reached();
    stopped(request, response);
  });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const asked = getFromPod(cluster, at, "/", signal).catch((thrown: unknown) => thrown);
  await expect.poll(() => reached).toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(11_000);
  vi.useRealTimers();
  expect(await asked).toMatchObject({ message: "pod demo/reviews-1 did not answer within 5 s" });
});

test.each([
  ["a cut connection", cutConnection],
  ["503", unavailable],
])("%s is tried again", async (_, fault) => {
  const api = await server();
  api.pods.listen("demo/reviews-1", 15000, admin({ "/ready": "LIVE" }));
  api.faults.add(/portforward/, fault);
  expect((await getFromPod(await connect(api), at, "/ready", signal)).body).toBe("LIVE");
});
