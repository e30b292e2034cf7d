import { didYouMean } from "../../routes/reading/diagnostic.ts";
import { pause } from "../../shared/net/limit.ts";
import { speaksHttp } from "../../shared/services/protocol.ts";
import { unfitServices } from "./addresses.ts";
import type { Check, CheckOutcome } from "./check.ts";
import type { CheckContext } from "./context.ts";
import { findPort, type Missing, outcomeOf, servicesOf, type Target, targetsOf } from "./target.ts";

export const targetsExist: Check<CheckContext> = {
  id: "targets",
  description: "the routes lead to services that exist",
  severity: "fatal",
  hint: "create the service first, or mend the route",
  needs: ["rights"],
  async run(context) {
    return outcomeOf(await missingServices(context), context.live);
  },
};

/** Targets whose Service does not exist, or does not have their port. */
function missingServices(context: CheckContext): Promise<Missing[]> {
  return context.once("missing services", async () => {
    const missing: Missing[] = [];
    for (const target of targetsOf(context.installation)) {
      const services = await servicesOf(context, target.namespace);
      if (services === undefined || findPort(services, target) !== undefined) continue;
      const names = services.map(({ metadata }) => metadata?.name ?? "");
      const what = `${target.service}.${target.namespace}:${target.port} does not exist${didYouMean(target.service, names)}`;
      missing.push({ cluster: target.cluster, what });
    }
    return missing;
  });
}

/** A Service made less long ago may not have reached the proxies yet; istiod takes longest to hear of it when the API server was away. */
const YOUNG_MS = 10_000;
const ASK_AGAIN_MS = 500;

export const targetsSeen: Check<CheckContext> = {
  id: "visible",
  description: "the selected proxies know the routes' targets",
  severity: "fatal",
  hint:
    "a Sidecar resource, an exportTo or a missing subset hides them: add them to its egress hosts, or to a DestinationRule. " +
    "A service that was made just now may only need a moment more",
  needs: ["rights", "workloads", "targets"],
  async run(context): Promise<CheckOutcome> {
    // Targets that an earlier check reports are left out, since the hint of this one would not help.
    const told = [...(await missingServices(context)), ...(await unfitServices(context))];
    const targets = targetsOf(context.installation).filter(
      ({ cluster }) => !told.some((one) => one.cluster === cluster),
    );
    if (targets.length === 0) return { holds: true };
    // The API server's clock tells the age of a Service, and may differ from this one.
    const giveUp = Date.now() + YOUNG_MS;
    let { unknown, silent } = await targetsUnknown(context, targets);
    while (unknown.length > 0 && Date.now() < giveUp && (await anyYoung(context, unknown))) {
      await pause(ASK_AGAIN_MS, context.io.signal, `${unknown[0]?.what}`);
      ({ unknown, silent } = await targetsUnknown(context, targets));
    }
    if (unknown.length > 0) return outcomeOf(unknown, context.live);
    return { holds: true, ...(silent.length > 0 && { detail: silent.join("\n") }) };
  },
};

interface Unknown extends Missing {
  target: Target;
}

async function targetsUnknown(
  context: CheckContext,
  targets: Target[],
): Promise<{ unknown: Unknown[]; silent: string[] }> {
  const { answers, silent } = await context.askProxies(async (proxy) => {
    const clusters = await proxy.clusters();
    return { pod: proxy.pod.name, missing: targets.filter(({ cluster }) => !clusters.has(cluster)) };
  });
  const unknown = answers.flatMap(({ pod, missing }) =>
    missing.map((target) => ({ target, cluster: target.cluster, what: `${pod} does not know ${target.cluster}` })),
  );
  return { unknown, silent };
}

async function anyYoung(context: CheckContext, unknown: Unknown[]): Promise<boolean> {
  for (const { target } of unknown) {
    const services = await servicesOf(context, target.namespace);
    const made = services?.find(({ metadata }) => metadata?.name === target.service)?.metadata?.creationTimestamp;
    if (made !== undefined && Date.now() - new Date(made).getTime() < YOUNG_MS) return true;
  }
  return false;
}

export const protocolsDeclared: Check<CheckContext> = {
  id: "protocols",
  description: "the targets' ports say that they speak HTTP",
  severity: "warning",
  hint: "name the port http-… or grpc-…, or set its appProtocol: else the target's own proxy takes it for plain TCP",
  needs: ["rights", "targets"],
  async run(context) {
    const silent: string[] = [];
    for (const target of targetsOf(context.installation)) {
      const port = findPort((await servicesOf(context, target.namespace)) ?? [], target);
      if (port === undefined || speaksHttp(port)) continue;
      const says = port.appProtocol
        ? `says appProtocol: ${port.appProtocol}`
        : port.name
          ? `is named ${port.name}`
          : "has no name";
      silent.push(`${target.service}.${target.namespace}:${target.port} ${says}`);
    }
    return silent.length === 0 ? { holds: true } : { holds: false, detail: silent.join("\n") };
  },
};
