import type { V1Service, V1ServicePort } from "@kubernetes/client-node";
import { isOfTheMesh, omit } from "./labels.ts";

/** What of a Service's copy is the Service's own. */
export interface CopiedService {
  name: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  spec: V1Service["spec"];
  remarks: string[];
}

/** A Service inside the cluster alone, with the same ports. */
export function copyService({ metadata, spec = {} }: V1Service): CopiedService {
  const name = metadata?.name ?? "";
  const remarks = (spec.ports ?? []).flatMap(({ nodePort }) =>
    nodePort ? [`nodePort ${nodePort} of Service ${name}: its copy is reached inside the cluster alone`] : [],
  );
  const isLeftOut = (key: string) => !isOfTheMesh(key);
  const { sessionAffinity, sessionAffinityConfig, ipFamilies, ipFamilyPolicy } = spec;
  return {
    name,
    labels: omit(metadata?.labels ?? {}, isLeftOut),
    annotations: omit(metadata?.annotations ?? {}, isLeftOut),
    spec: {
      type: "ClusterIP",
      ports: (spec.ports ?? []).map(copyPort),
      ...(sessionAffinity && { sessionAffinity }),
      ...(sessionAffinityConfig && { sessionAffinityConfig }),
      ...(ipFamilies && { ipFamilies }),
      ...(ipFamilyPolicy && { ipFamilyPolicy }),
    },
    remarks,
  };
}

function copyPort({ name, port, targetPort, protocol, appProtocol }: V1ServicePort): V1ServicePort {
  return {
    ...(name !== undefined && { name }),
    port,
    ...(targetPort !== undefined && { targetPort }),
    ...(protocol !== undefined && { protocol }),
    ...(appProtocol !== undefined && { appProtocol }),
  };
}
