// One check against an API server double with the pods of `fleet.ts`.
import type { Check, CheckResult } from "../../installer/check/check.ts";
import { runChecks } from "../../installer/check/check.ts";
import { CheckContext } from "../../installer/check/context.ts";
import type { Installation } from "../../installer/manifests/installation.ts";
import type { Io } from "../../shared/io.ts";
import { noRights } from "../double/faults.ts";
import { desired, type Fleet } from "../installation/fleet.ts";

const quiet = { write: () => {} };
export const quietIo: Io = { out: quiet, err: quiet, in: [], env: {}, signal: new AbortController().signal };

/** An installation for the fleet's pod, inbound unless said. */
export function installation(more: Partial<Installation> = {}): Installation {
  const to = "outbound|9080||reviews-pr-42.demo.svc.cluster.local";
  const config = { routes: [{ from: "inbound|9080||", key: "pr-42", to }] };
  return { ...desired, version: 1, mode: "inbound", config, ...more };
}

export async function resultOf(
  fleet: Fleet,
  check: Check<CheckContext>,
  wanted: Installation = installation(),
  live?: Installation,
): Promise<CheckResult> {
  const given = {
    cluster: fleet.cluster,
    istioNamespace: "istio-system",
    allowEmpty: false,
    registry: {},
    io: quietIo,
  };
  const context = new CheckContext({ ...given, installation: wanted, live });
  const [result] = await runChecks([{ ...check, needs: [] }], context);
  if (result === undefined) throw new Error("no result");
  return result;
}

export function put(
  fleet: Fleet,
  apiVersion: string,
  kind: string,
  name: string,
  spec: object,
  more: object = {},
): void {
  const namespace = kind === "Namespace" ? {} : { namespace: "demo" };
  fleet.server.put({ apiVersion, kind, metadata: { name, ...namespace }, spec, ...more });
}

export function service(fleet: Fleet, name: string, spec: object = {}): void {
  put(fleet, "v1", "Service", name, { ports: [{ port: 9080, name: "http" }], ...spec });
}

/** Every request whose method and URL match is refused for want of rights. */
export function forbid(fleet: Fleet, request: RegExp): void {
  fleet.server.faults.add(request, noRights('cannot list resource "things" in API group ""'), 99);
}
