import type { V1Container, V1Deployment } from "@kubernetes/client-node";
import { AUDIENCE } from "../../../server/auth/authenticator.ts";
import { listenersOf } from "./listeners.ts";
import {
  CHOICE_ANNOTATION,
  metadataOf,
  PORT,
  SERVER_NAME,
  SERVICE_NAME,
  type ServerChoice,
  selector,
} from "./server.ts";

/** Seconds that a pod is still asked while it is taken off the Service, before it begins to end. */
const LEAVING = 5;
/** Seconds that requests under way have after that; see --grace. */
const GRACE = 20;
/** A token by which the servers know each other, for nobody else. */
const PEERS_TOKEN = { volume: "peers-token", folder: "/var/run/secrets/keyway.dev", file: "token" };

export function deployment(choice: ServerChoice): V1Deployment {
  const { replicas, imagePullSecret } = choice;
  const { namespace: _, ...said } = choice;
  const metadata = { ...metadataOf(choice), annotations: { [CHOICE_ANNOTATION]: JSON.stringify(said) } };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      replicas,
      selector: { matchLabels: selector },
      // A new pod has its table before an old one goes.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        // The server speaks to the API server and is asked by proxies; a sidecar of the mesh would only stand in between.
        metadata: { labels: { ...metadata.labels, "sidecar.istio.io/inject": "false" } },
        spec: {
          serviceAccountName: SERVER_NAME,
          terminationGracePeriodSeconds: LEAVING + GRACE + 5,
          ...(imagePullSecret !== undefined && { imagePullSecrets: [{ name: imagePullSecret }] }),
          securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: "kubernetes.io/hostname",
              whenUnsatisfiable: "ScheduleAnyway",
              labelSelector: { matchLabels: selector },
            },
          ],
          containers: [container(choice)],
          volumes: [
            {
              name: PEERS_TOKEN.volume,
              projected: { sources: [{ serviceAccountToken: { audience: AUDIENCE, path: PEERS_TOKEN.file } }] },
            },
          ],
        },
      },
    },
  };
}

function container(choice: ServerChoice): V1Container {
  const { image, namespace, anonymous, arguments: more } = choice;
  return {
    name: "keyway",
    image,
    args: [
      "serve",
      `--listen=0.0.0.0:${PORT}`,
      `--store=kubernetes:${namespace}`,
      `--peers=${namespace}/${SERVICE_NAME}`,
      `--peers-token-file=${PEERS_TOKEN.folder}/${PEERS_TOKEN.file}`,
      `--grace=${GRACE}`,
      ...(anonymous.length > 0 ? [`--anonymous=${anonymous.join(",")}`] : []),
      ...more,
    ],
    env: [{ name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
    ports: listenersOf(choice).map(({ name, port }) => ({ name, containerPort: port })),
    livenessProbe: { httpGet: { path: "/healthz", port: "http" }, periodSeconds: 10, failureThreshold: 3 },
    readinessProbe: { httpGet: { path: "/readyz", port: "http" }, periodSeconds: 2, failureThreshold: 2 },
    lifecycle: { preStop: { sleep: { seconds: LEAVING } } },
    volumeMounts: [{ name: PEERS_TOKEN.volume, mountPath: PEERS_TOKEN.folder, readOnly: true }],
    resources: { requests: { cpu: "100m", memory: "192Mi" }, limits: { memory: "1Gi" } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
  };
}
