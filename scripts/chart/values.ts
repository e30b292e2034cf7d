import { toYaml } from "../../installer/cli/output.ts";
import { deployment } from "../../installer/manifests/server/deployment.ts";
import { DEFAULT_REPLICAS } from "../../installer/manifests/server/server.ts";

/** What the chart's users may say, and what they read. */
export function fileEntries(): Record<string, string> {
  return { "values.yaml": values(), "templates/NOTES.txt": NOTES };
}

function values(): string {
  const choice = { namespace: "-", image: "-", replicas: DEFAULT_REPLICAS, anonymous: [], arguments: [] };
  const resources = deployment(choice).spec?.template.spec?.containers[0]?.resources;
  const entries: [about: string, value: object][] = [
    ["The image that the Dockerfile builds, in a registry that the nodes reach. Required.", { image: "" }],
    ["A secret in the namespace, for a registry that asks who you are.", { imagePullSecret: "" }],
    ["Servers that share the work.", { replicas: DEFAULT_REPLICAS }],
    ["What requests without a token may do: read, write, proxy.", { anonymous: ["proxy"] }],
    [
      "Further settings of `keyway serve`, as logLevel: debug, or signadotGrpc: 0.0.0.0:7777. With overrides: NAMESPACE,NAMESPACE come the rights in these.",
      { settings: {} },
    ],
    [
      "Whether the custom resources come with this release. Another server of the cluster may bring them.",
      { definitions: true },
    ],
    ["What each server asks of its node, and may take.", { resources }],
  ];
  return entries.map(([about, value]) => `# ${about}\n${toYaml(value)}`).join("\n");
}

const NOTES = `The route server is at keyway.{{ .Release.Namespace }}:8700.

Proxies follow it:   keyway install --server keyway.{{ .Release.Namespace }} ...
A preview:           keyway sandbox create pr-42 --fork Deployment/reviews --image IMAGE
What a preview is:   kubectl explain sandboxes.keyway.dev
`;
