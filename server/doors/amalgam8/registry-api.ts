// Amalgam8's registry: /api/v1/instances and /api/v1/services.
import { answer, type Call, type Endpoint } from "./call.ts";
import { A8Error } from "./errors.ts";
import { instanceBody, readRegistration } from "./instance.ts";
import { readInstanceQuery } from "./instance-filter.ts";
import type { Registry } from "./registry.ts";

/** `written` resolves once the routes say what the registry says. */
export function registryEndpoints(registry: Registry, written: () => Promise<void>): Endpoint[] {
  const register = async ({ sender, origin, body }: Call) => {
    const instance = readRegistration(await body(), Date.now());
    await registry.register(sender.namespace, instance);
    await written();
    const self = `${origin}/api/v1/instances/${instance.id}`;
    const links = { self, heartbeat: `${self}/heartbeat` };
    return answer(201, { id: instance.id, ttl: instance.ttl, links }, { location: self });
  };

  const renew = async ({ sender, name }: Call) => {
    if (await registry.renew(sender.namespace, name)) return answer(200);
    throw gone("Failed to renew instance registration");
  };

  const deregister = async ({ sender, name }: Call) => {
    if (!(await registry.deregister(sender.namespace, name))) throw gone("Failed to deregister instance");
    await written();
    return answer(200);
  };

  const list = ({ sender, query }: Call) => {
    const { fits, fields } = readInstanceQuery(query);
    const found = [...registry.instances(sender.namespace)].filter(fits);
    return answer(200, { instances: found.map((one) => instanceBody(one, fields)) });
  };

  const listServices = ({ sender }: Call) => {
    const names = new Set([...registry.instances(sender.namespace)].map(({ service }) => service));
    return answer(200, { services: [...names].sort() });
  };

  const getService = ({ sender, name }: Call) => {
    const found = registry.ofService(sender.namespace, name);
    if (found.length === 0) throw new A8Error(404, "error_not_found", `Service name not found: ${name}`);
    return answer(200, { service_name: name, instances: found.map((one) => instanceBody(one)) });
  };

  return [
    { method: "POST", path: "/api/v1/instances", role: "write", handle: register },
    { method: "GET", path: "/api/v1/instances", role: "read", handle: list },
    { method: "DELETE", path: "/api/v1/instances/:name", role: "write", handle: deregister },
    { method: "PUT", path: "/api/v1/instances/:name/heartbeat", role: "write", handle: renew },
    { method: "GET", path: "/api/v1/services", role: "read", handle: listServices },
    { method: "GET", path: "/api/v1/services/:name", role: "read", handle: getService },
  ];
}

/** Its clients register anew. */
const gone = (what: string) =>
  new A8Error(
    410,
    "error_not_found",
    `${what}: there is no such instance, or no heartbeat of it came in time; register it again`,
  );
