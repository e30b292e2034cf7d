// Whether the twins that are installed are those that the proxies' own routes ask for now.
import { field, messages } from "../twins/spelling.ts";
import { sorted } from "./contents.ts";
import { ownerOf, type ProxyRoutes, type TwinContext, type TwinPatch } from "./twin-patches.ts";

/** The twins among an EnvoyFilter's patches. */
export function twinsAmong(patches: readonly unknown[]): TwinPatch[] {
  return (patches as TwinPatch[]).filter(
    (one) => one.applyTo === "HTTP_ROUTE" && ownerOf(one.patch.value) !== undefined,
  );
}

/** The virtual hosts whose twins are not what they would be now, in words. */
export function staleHosts(installed: readonly TwinPatch[], present: readonly TwinPatch[]): string[] {
  const [before, now] = [byHost(installed), byHost(present)];
  const names = [...new Set([...before.keys(), ...now.keys()])].sort();
  return names.flatMap((name) => {
    if (!before.has(name)) return [`${name} has come`];
    if (!now.has(name)) return [`${name} is gone`];
    return before.get(name) === now.get(name) ? [] : [`${name} has changed`];
  });
}

function byHost(patches: readonly TwinPatch[]): Map<string, string> {
  const hosts = new Map<string, string>();
  for (const { match, patch } of patches) {
    const name = `virtual host ${match.routeConfiguration.vhost.name} of ${match.routeConfiguration.name}`;
    hosts.set(name, `${hosts.get(name) ?? ""}${JSON.stringify(sorted(patch.value))}\n`);
  }
  return hosts;
}

/** Why a proxy does not have the twins that are meant for it; undefined when it has. */
export function whyNotTwinned(
  { gateway, routeConfigurations }: Omit<ProxyRoutes, "pod">,
  patches: readonly TwinPatch[],
) {
  const context: TwinContext = gateway ? "GATEWAY" : "SIDECAR_OUTBOUND";
  const wanted = Map.groupBy(
    patches.filter(({ match }) => match.context === context),
    ({ match }) => `${match.routeConfiguration.name} ${match.routeConfiguration.vhost.name}`,
  );
  for (const configuration of routeConfigurations) {
    for (const host of messages(configuration, "virtual_hosts")) {
      const key = `${field<string>(configuration, "name")} ${field<string>(host, "name")}`;
      const owners = messages(host, "routes").flatMap((route) => ownerOf(route) ?? []);
      const missing = (wanted.get(key)?.length ?? 0) - owners.length;
      if (missing > 0)
        return `it has not got ${missing} twins of virtual host ${field<string>(host, "name")} from istiod`;
    }
  }
  return undefined;
}
