import type { Cluster } from "../../shared/cluster/cluster.ts";
import type { ClusterChoice } from "../../shared/cluster/kubeconfig.ts";
import type { Io } from "../../shared/io.ts";
import { TimeIsUp, within } from "../../shared/net/limit.ts";
import { FIELD_MANAGER } from "../manifests/names.ts";

/** The cluster that the flags and the environment name, as Keyway asks it. */
export async function connectCluster(choice: ClusterChoice, io: Io): Promise<Cluster> {
  return connectWithHint(
    choice,
    io,
    "have an administrator apply what `keyway render rbac -n NAMESPACE --user NAME` prints, then run `keyway check`",
  );
}

/** The same for what only an administrator may do. */
export async function connectAdministrator(choice: ClusterChoice, io: Io): Promise<Cluster> {
  return connectWithHint(
    choice,
    io,
    "have an administrator of the cluster run this, or apply what `keyway render server --image IMAGE` prints",
  );
}

export async function connectWithHint(
  choice: ClusterChoice,
  { env, signal }: Io,
  rightsHint: string,
): Promise<Cluster> {
  const { Cluster } = await import("../../shared/cluster/cluster.ts");
  return Cluster.connect(choice, env, { signal, fieldManager: FIELD_MANAGER, rightsHint });
}

/** The same surroundings, in which everything that waits ends when the time is up. */
export function withDeadline(io: Io, seconds: number): Io {
  return { ...io, signal: deadline(io.signal, seconds) };
}

/** Aborted with `signal`, and with TimeIsUp so many seconds from now. */
export function deadline(signal: AbortSignal, seconds: number): AbortSignal {
  const timeIsUp = new TimeIsUp(`not done within the ${seconds} s of --timeout`, {
    next: "see why it takes so long, or allow more with --timeout SECONDS",
  });
  return within(signal, seconds * 1000, timeIsUp);
}
