import type { V1Deployment, V1Service } from "@kubernetes/client-node";
import {
  BASELINE_ANNOTATION,
  FORK_LABEL,
  type ForkEntry,
  SANDBOX_API,
  SANDBOX_KIND,
  SANDBOX_LABEL,
  WORKLOAD_ANNOTATION,
} from "../../routes/model/sandbox.ts";
import type { Diagnostic } from "../../routes/reading/diagnostic.ts";
import { type Baseline, isServedBy, readBaseline, type Workload } from "./baseline.ts";
import { changeContainers } from "./containers.ts";
import { isOfTheMesh, keysOf, type Labels, omit, selects } from "./labels.ts";
import { copyName } from "./names.ts";
import { copyService } from "./service.ts";
import { copyTemplate } from "./template.ts";

/** The Sandbox that a copy belongs to. */
export interface SandboxRef {
  name: string;
  namespace: string;
  uid: string;
}

/** What stands in the cluster for one fork. */
export interface Copy {
  workload: V1Deployment;
  /** One for each Service of the baseline. */
  services: V1Service[];
  /** What of the baseline could not be taken over, each as a sentence's part. */
  remarks: string[];
}

export interface ForkOrder {
  workload: Workload;
  fork: ForkEntry;
  sandbox: SandboxRef;
  /** Those of the workload's namespace. */
  services: readonly V1Service[];
}

/** The copy that a fork asks for, or why there can be none; nothing is looked up. */
export function makeFork({ workload, ...order }: ForkOrder): Copy | Diagnostic[] {
  const baseline = readBaseline(workload);
  return "message" in baseline ? [baseline] : copyOf({ baseline, ...order });
}

export function copyOf({
  baseline,
  fork,
  sandbox,
  services,
}: Omit<ForkOrder, "workload"> & { baseline: Baseline }): Copy | Diagnostic[] {
  const served = services.filter((service) => isServedBy(service, baseline));
  const name = copyName(baseline.name, sandbox.name);
  const selector = { [SANDBOX_LABEL]: sandbox.name, [FORK_LABEL]: name };
  const found = labelsBeside(baseline, served, selector);
  if (!("labels" in found)) return [found];
  const { template, remarks } = copyTemplate(baseline.template, found.labels);
  const spec = changeContainers(template.spec, fork.containers ?? []);
  if (Array.isArray(spec)) return spec;
  const copies = served.map(copyService);
  if (copies.length === 0)
    remarks.push(`no Service selects the pods of ${baseline.title}: no request is routed to the copy`);
  const metadata = metadataIn(sandbox, fork.workload);
  return {
    workload: {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: metadata(name),
      spec: {
        replicas: fork.replicas ?? 1,
        revisionHistoryLimit: 0,
        selector: { matchLabels: selector },
        template: { ...template, spec },
      },
    },
    services: copies.map(({ name, labels, annotations, spec }) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: metadata(copyName(name, sandbox.name), labels, { ...annotations, [BASELINE_ANNOTATION]: name }),
      spec: { ...spec, selector },
    })),
    remarks: [...remarks, ...copies.flatMap((copy) => copy.remarks)],
  };
}

/** The labels of the baseline's pods without those by which its Services and its controller find them; or who would find the copy all the same. */
function labelsBeside(
  baseline: Baseline,
  served: readonly V1Service[],
  added: Labels,
): { labels: Labels } | Diagnostic {
  const selectors = [
    { title: baseline.title, selector: baseline.selector },
    ...served.map(({ metadata, spec }) => ({
      title: `Service ${metadata?.name}`,
      selector: { matchLabels: spec?.selector ?? {} },
    })),
  ];
  const keys = new Set(selectors.flatMap(({ selector }) => keysOf(selector)).filter((key) => !isOfTheMesh(key)));
  const labels = { ...omit(baseline.template.labels, (key) => keys.has(key)), ...added };
  const taker = selectors.find(({ selector }) => selects(selector, labels));
  if (taker === undefined) return { labels };
  const by = keysOf(taker.selector).join(" and ") || "no label at all";
  const message = `${taker.title} would take the copy's pods for its own, as it selects by ${by} alone: let it select by a label such as app as well`;
  return { path: ["workload"], message };
}

function metadataIn({ name: sandbox, namespace, uid }: SandboxRef, workload: string) {
  return (name: string, labels: Labels = {}, annotations: Record<string, string> = {}) => ({
    name,
    namespace,
    labels: { ...labels, "app.kubernetes.io/managed-by": "keyway", [SANDBOX_LABEL]: sandbox },
    annotations: { ...annotations, [WORKLOAD_ANNOTATION]: workload },
    ownerReferences: [{ apiVersion: SANDBOX_API, kind: SANDBOX_KIND, name: sandbox, uid, controller: true }],
  });
}
