import type { ForkService } from "../../controller/plan/sandbox.ts";
import {
  BASELINE_ANNOTATION,
  SANDBOX_API,
  SANDBOX_KIND,
  SANDBOX_LABEL,
  type SandboxResource,
  type SandboxSpec,
  WORKLOAD_ANNOTATION,
} from "../../routes/model/sandbox.ts";

type Metadata = Partial<SandboxResource["metadata"]>;

/** A Sandbox of the namespace demo, unless the metadata say another. */
export function sandbox(name: string, spec: SandboxSpec, metadata: Metadata = {}): SandboxResource {
  return {
    apiVersion: SANDBOX_API,
    kind: SANDBOX_KIND,
    metadata: { name, namespace: "demo", uid: `uid-${name}`, creationTimestamp: "2030-01-01T00:00:00Z", ...metadata },
    spec,
  };
}

/** The Service of a copy of `Deployment/BASELINE`. */
export function fork(owner: string, baseline: string, { namespace = "demo", uid = `uid-${owner}` } = {}): ForkService {
  return {
    metadata: {
      name: `${baseline}-${owner}`,
      namespace,
      labels: { [SANDBOX_LABEL]: owner },
      annotations: { [BASELINE_ANNOTATION]: baseline, [WORKLOAD_ANNOTATION]: `Deployment/${baseline}` },
      ownerReferences: [{ kind: SANDBOX_KIND, uid }],
    },
  };
}
