// The Services and workloads of a cluster, followed.
import type { V1Service } from "@kubernetes/client-node";
import { isNotFound } from "../../../shared/cluster/api-errors.ts";
import type { Cluster } from "../../../shared/cluster/cluster.ts";
import { Informer } from "../../../shared/cluster/informer.ts";
import { reason } from "../../../shared/errors.ts";
import {
  ClusterPlaces,
  type PlacedService,
  type PlacedWorkload,
  placedService,
  placedWorkload,
  type Workload,
} from "./places.ts";

/** The kinds of workloads, by their API. */
const WORKLOADS = [
  ["apps/v1", "Deployment"],
  ["apps/v1", "StatefulSet"],
  ["argoproj.io/v1alpha1", "Rollout"],
] as const;

export interface Following {
  /** Told the names of Services that have changed, or whose workloads have. */
  changed(services: readonly string[]): void;
  /** Told once for each time that a kind can't be read. */
  failed(kind: string, why: string): void;
}

export interface Followed {
  places: ClusterPlaces;
  /** Resolves once everything has been read for a first time. A kind that the cluster has not is no reason to wait. */
  synced: Promise<unknown>;
}

/** Follows them until the signal of `cluster` is aborted. */
export function followPlaces(cluster: Cluster, { changed, failed }: Following): Followed {
  const places = new ClusterPlaces();
  const services = new Informer<V1Service, PlacedService>(cluster, {
    apiVersion: "v1",
    kind: "Service",
    keep: placedService,
    onChange: (before, after) => changed(places.putService(before, after)),
    onTrouble: (thrown) => failed("Service", reason(thrown)),
  });
  const workloads = WORKLOADS.map(([apiVersion, kind]) => {
    return new Informer<Workload, PlacedWorkload>(cluster, {
      apiVersion,
      kind,
      keep: (workload) => placedWorkload(workload, kind),
      onChange: (before, after) => changed(places.putWorkload(before, after)),
      onTrouble: (thrown) => {
        if (!isNotFound(thrown)) failed(kind, reason(thrown));
      },
    });
  });
  return { places, synced: Promise.all([services, ...workloads].map(readOnce)) };
}

async function readOnce(
  informer: Informer<Workload, PlacedWorkload> | Informer<V1Service, PlacedService>,
): Promise<void> {
  await informer.start();
  if (!isNotFound(informer.trouble)) await informer.synced;
}
