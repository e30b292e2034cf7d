// The ids of routes that are resources: a Route of the home namespace has its name, one of another namespace NAMESPACE/NAME. Routes of
// Sandboxes have ids under sandboxes/ in at least three parts.
import { OVERRIDES_LABEL } from "../../../controller/overrides/objects.ts";
import type { LiveRoute } from "../../../routes/model/live-route.ts";
import { isResourceName, ROUTE_API, ROUTE_KIND } from "../../../routes/model/route-resource.ts";
import { sandboxName, sandboxOfRoute } from "../../../routes/model/sandbox.ts";
import type { Meta, Ref } from "../../../shared/cluster/object.ts";
import { Managed, Unfit } from "../store.ts";

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export function idOf({ name = "", namespace = "" }: Meta, home: string): string {
  return namespace === home ? name : `${namespace}/${name}`;
}

/** `NAMESPACE/NAME` of the Sandbox whose route this is. */
export function sandboxOf(id: string): string | undefined {
  const [, namespace = "", name] = id.split("/");
  return name === undefined || sandboxOfRoute(id) === undefined ? undefined : sandboxName({ namespace, name });
}

/** The resource of a route; throws for an id that can be none's. */
export function refOf(id: string, home: string): Ref {
  const [first = "", second, ...rest] = id.split("/");
  const [namespace, name] = second === undefined ? [home, first] : [first, second];
  if (isResourceName(name) && NAMESPACE.test(namespace) && rest.length === 0 && id !== `${home}/${name}`) {
    return { apiVersion: ROUTE_API, kind: ROUTE_KIND, metadata: { name, namespace } };
  }
  const next =
    namespace === home && second !== undefined
      ? `write ${name} alone: ${home} is the server's own namespace`
      : "take lower case letters, digits, - and . alone, after NAMESPACE/ for a route of another namespace";
  throw new Unfit(`no Kubernetes resource can have the name ${JSON.stringify(id)}: ${next}`, { where: id, next });
}

/** Throws for the route of a Sandbox, and for one that stands for versions of pods; `there` is what is known of it. */
export function refuseManaged(id: string, there: LiveRoute | undefined): void {
  const sandbox = sandboxOf(id);
  const overridden = there?.labels?.[OVERRIDES_LABEL];
  if (sandbox !== undefined) {
    const [namespace, name] = sandbox.split("/");
    refuse(id, `Sandbox ${sandbox}`, `change the Sandbox: kubectl edit sandbox ${name} -n ${namespace}`);
  } else if (overridden !== undefined) {
    const next = `change the pods' label version, or take its namespace out of --overrides and delete the Route with kubectl`;
    refuse(id, `the versions of the pods of Service ${overridden}`, next);
  }
}

function refuse(id: string, from: string, next: string): never {
  throw new Managed(`the route ${id} is made from ${from}, and can't be written by itself; ${next}`, {
    where: id,
    next,
  });
}
