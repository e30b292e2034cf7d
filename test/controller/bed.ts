import { expect, onTestFinished } from "vitest";
import type { Forks } from "../../controller/forks/forks.ts";
import { type Controller, type ControllerSettings, startController } from "../../controller/main.ts";
import type { Count } from "../../controller/plan/conditions.ts";
import type { RouteObject } from "../../controller/surroundings.ts";
import { ROUTE_API, ROUTE_KIND } from "../../routes/model/route-resource.ts";
import type { SandboxResource, SandboxSpec, SandboxStatus } from "../../routes/model/sandbox.ts";
import type { Service } from "../../routes/model/service.ts";
import type { ConditionedStatus } from "../../routes/model/status.ts";
import { FollowedCluster } from "../../server/store/kubernetes/followed-cluster.ts";
import { connect, server } from "../cluster/connect.ts";
import type { Stored } from "../double/store.ts";
import { sandbox } from "./sandboxes.ts";

/** Milliseconds: quick, so that a test need not wait. */
export const QUICK = { lease: 900, renew: 100, margin: 300 };

class FakeForks implements Forks {
  onChange: Forks["onChange"] = () => {};
  readonly calls: string[] = [];
  reconcile: Forks["reconcile"] = async ({ metadata, spec }) => {
    this.calls.push(`reconcile ${metadata.name}`);
    return (spec.forks ?? []).map(({ workload }) => ({ workload, ready: true }));
  };
  remove: Forks["remove"] = async ({ metadata }) => {
    this.calls.push(`remove ${metadata.name}`);
  };
}

/** A cluster, and the route server's part of what a controller knows. */
export async function startBed() {
  const api = await server();
  const services = new Map<string, Service>();
  const ready = new Map<string, boolean>();
  const forks = new FakeForks();
  const logged: string[] = [];
  let count: Count | undefined = { total: 2, inForce: 2 };
  let counted = () => {};

  const log = (fields: object, message: string) => void logged.push(`${message} ${JSON.stringify(fields)}`);

  const bed = {
    api,
    forks,
    logged,
    ready,
    /** How far proxies are. */
    set count(value: Count | undefined) {
      count = value;
    },
    /** Called when proxies are counted. */
    onCount(look: () => void) {
      counted = look;
    },
    addService(name: string, ports: Service["ports"] = [{ port: 9080 }], namespace = "demo") {
      services.set(`${namespace}/${name}`, { name, namespace, ports });
    },
    removeService(name: string, namespace = "demo") {
      services.delete(`${namespace}/${name}`);
    },
    /** As somebody applies it. */
    put(name: string, spec: SandboxSpec, metadata: Partial<SandboxResource["metadata"]> = {}): void {
      const before = bed.get(name, metadata.namespace);
      const isSame = JSON.stringify(before?.spec) === JSON.stringify(spec);
      const generation = (before?.metadata.generation ?? 0) + (isSame ? 0 : 1);
      const kept = before?.metadata.finalizers ? { finalizers: before.metadata.finalizers } : {};
      const resource = sandbox(name, spec, { generation, ...kept, ...metadata });
      api.put({ ...resource, ...(before?.status && { status: before.status }) } as Stored);
    },
    /** As somebody deletes it. */
    delete(name: string): void {
      api.delete(sandbox(name, {}) as Stored);
    },
    get: (name: string, namespace = "demo") =>
      api.find(sandbox(name, {}, { namespace }) as Stored) as SandboxResource | undefined,
    status: (name: string, namespace = "demo"): SandboxStatus => bed.get(name, namespace)?.status ?? {},
    /** `REASON` of a condition, with a `!` before it where it does not hold. */
    condition: (name: string, type: string, namespace = "demo") => conditionText(bed.get(name, namespace), type),
    message: (name: string, type: string) =>
      bed.status(name).conditions?.find((one) => one.type === type)?.message ?? "",
    reaches: (name: string, type: string, reason: string) =>
      expect.poll(() => bed.condition(name, type), { timeout: 15_000, interval: 10 }).toBe(reason),
    /** As somebody applies it. */
    putRoute(name: string, spec: object, namespace = "demo"): void {
      const before = bed.route(name, namespace);
      const generation = (before?.metadata.generation ?? 0) + 1;
      const resource = { ...routeObject(name, namespace), spec };
      resource.metadata = { ...resource.metadata, ...{ uid: `uid-${name}`, generation } };
      api.put({ ...resource, ...(before?.status && { status: before.status }) } as Stored);
    },
    deleteRoute(name: string, namespace = "demo"): void {
      api.delete(routeObject(name, namespace) as Stored);
    },
    route: (name: string, namespace = "demo") =>
      api.find(routeObject(name, namespace) as Stored) as RouteObject | undefined,
    routeCondition: (name: string, type: string, namespace = "demo") => conditionText(bed.route(name, namespace), type),
    routeMessage: (name: string, type: string, namespace = "demo") =>
      bed.route(name, namespace)?.status?.conditions?.find((one) => one.type === type)?.message ?? "",
    routeReaches: (name: string, type: string, reason: string, namespace = "demo") =>
      expect.poll(() => bed.routeCondition(name, type, namespace), { timeout: 15_000, interval: 10 }).toBe(reason),
    events: () =>
      api.store.all().filter(({ kind }) => kind === "Event") as (Stored & { reason: string; note: string })[],
    async start(identity = "one", settings: Partial<ControllerSettings> = {}): Promise<Started> {
      const stop = new AbortController();
      const cluster = await connect(api, { signal: stop.signal });
      const namespace = "keyway-system";
      const resources = new FollowedCluster(cluster, {
        ...{ namespace, retryMs: 50, invalid: () => {}, older: () => {} },
        withoutSandboxes: (why) => log({ why }, "Sandboxes can't be read: none of them is in force"),
      });
      const following = resources.start();
      following.catch(() => {});
      const controller = startController({
        ...{ cluster, namespace, identity, resources },
        domain: "cluster.local",
        services: {
          find: (name, namespace) => services.get(`${namespace}/${name}`),
          values: () => services.values(),
          isReady: (name, namespace) => ready.get(`${namespace}/${name}`),
        },
        table: {
          get revision() {
            return resources.followed.revision;
          },
          get: (id) => resources.followed.routes.get(id),
          count: async () => {
            counted();
            return count;
          },
        },
        forks: () => forks,
        log: { info: log, warn: log, error: log },
        times: QUICK,
        ...settings,
      });
      const end = async () => {
        stop.abort();
        await controller.ended;
      };
      onTestFinished(end);
      return { controller, resources, end };
    },
  };
  return bed;
}

interface Started {
  controller: Controller;
  resources: FollowedCluster;
  end: () => Promise<void>;
}

function routeObject(name: string, namespace: string) {
  return { apiVersion: ROUTE_API, kind: ROUTE_KIND, metadata: { name, namespace } };
}

function conditionText(object: { status?: ConditionedStatus } | undefined, type: string): string {
  const found = object?.status?.conditions?.find((one) => one.type === type);
  return found ? `${found.status === "False" ? "!" : ""}${found.reason}` : "none";
}

export type Bed = Awaited<ReturnType<typeof startBed>>;

/** Polls, on a machine that may be busy. */
export const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 15_000, interval: 20 });

/** The requests from now on that match. */
export function counting(bed: Bed, matching: RegExp): () => string[] {
  const from = bed.api.requests.length;
  return () => bed.api.requests.slice(from).filter((request) => matching.test(request));
}
