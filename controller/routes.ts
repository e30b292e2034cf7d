// What the leader says of one Route.
import type { StoredRoute } from "../routes/model/live-route.ts";
import type { RouteResourceStatus } from "../routes/model/route-resource.ts";
import { type InForceWatch, type Look, NO_LOOK } from "./in-force.ts";
import { conditionTime, numbersOf, OwnStatuses } from "./own-status.ts";
import { inForceCondition, notAccepted, resolvedCondition, type Said, since } from "./plan/conditions.ts";
import { findingsOf, isWithoutTarget } from "./plan/resolved.ts";
import { acceptedRoute } from "./plan/route-verdict.ts";
import type { Services } from "./plan/services.ts";
import type { StatusWriter } from "./status.ts";
import type { LiveTable, Resources, RouteObject } from "./surroundings.ts";

export interface RouteSettings {
  resources: Pick<Resources, "routeVerdict">;
  table: Pick<LiveTable, "get">;
  services: Services;
  domain: string;
  inForce: InForceWatch;
  status: StatusWriter;
}

/** There may be very many Routes, which a missing right concerns alike. */
const REFUSAL_MS = 30_000;

/** There are at most as many looks at proxies in a second, those aside that come soon after a change. */
const LATE_LOOKS = 100;
const SOON_MS = 1000;

/** Milliseconds after which it is looked whether proxies have come to which the names of a route mean something. */
const COME_MS = 10_000;

/** Until the server has taken the resource over it is looked at this often. */
const TAKEN_MS = 100;

export class RouteWork {
  readonly #settings: RouteSettings;
  readonly #statuses: OwnStatuses;
  /** The ids of those that have been looked at. */
  readonly #known = new Set<string>();

  constructor(settings: RouteSettings) {
    this.#settings = settings;
    this.#statuses = new OwnStatuses(settings.status, REFUSAL_MS);
  }

  forget(id: string): void {
    this.#known.delete(id);
    this.#statuses.forget(id);
    this.#settings.inForce.forget(`Route ${id}`);
  }

  /** The milliseconds after which to look at it again. */
  async work(id: string, told: RouteObject): Promise<number | undefined> {
    const { resources, table, services, domain } = this.#settings;
    const object = this.#statuses.newest(id, told);
    const verdict = resources.routeVerdict(id);
    const stored = table.get(id);
    if (verdict.wrong === undefined && stored === undefined) return TAKEN_MS;
    const twin = verdict.twins?.find((one) => this.#isTaken(one));
    const accepted = acceptedRoute({ wrong: verdict.wrong, twin, route: stored, now: Date.now() });
    const isAccepted = accepted.status === "True";
    const found = stored && isAccepted ? findingsOf(stored, services, domain) : [];
    const mayBeLive = isAccepted && found.every(({ mayBeCluster }) => mayBeCluster);
    const counted = await this.#look(id, mayBeLive ? stored : undefined);
    // Proxies without a mesh that have the route in their table take its names for those of their clusters. Where there are proxies of both
    // kinds, a name that is nearly that of a Service is more likely to be a mistake.
    const { plain = 0, mesh = 0 } = counted.count ?? {};
    const isTaken = mayBeLive && plain > 0;
    const findings = isTaken && !(mesh > 0 && found.some(({ isNear }) => isNear)) ? [] : found;
    const look = mayBeLive && findings.length > 0 ? this.#lookAgain(id, counted) : counted;
    const isResolved = findings.length === 0;
    const isLive = isAccepted && (isResolved || isTaken);
    const said: Said[] = [
      accepted,
      isAccepted ? resolvedCondition({ findings, forks: [], taken: [], conflicts: [] }) : notAccepted("Resolved"),
      isAccepted ? inForceCondition({ routes: isLive ? 1 : 0, count: look.count, isResolved }) : notAccepted("InForce"),
    ];
    const { generation } = object.metadata;
    const wanted: RouteResourceStatus = {
      ...(generation !== undefined && { observedGeneration: generation }),
      ...(stored && { revision: stored.revision }),
      ...(isLive && look.count && { proxies: numbersOf(look.count) }),
      conditions: since(said, object.status?.conditions, generation, conditionTime()),
    };
    const wait = await this.#statuses.write(id, object, wanted, look);
    return wait === undefined ? look.again : Math.min(wait, look.again ?? wait);
  }

  /** A proxy without a mesh may come at any time, and nobody tells. */
  #lookAgain(id: string, look: Look): Look {
    this.#settings.inForce.forget(`Route ${id}`);
    return { ...look, again: Math.max(COME_MS, (this.#known.size / LATE_LOOKS) * 1000) };
  }

  /** One that is in no table leaves its requests to its twins. */
  #isTaken(twin: string): boolean {
    const { table, services, domain } = this.#settings;
    const route = table.get(twin);
    return route === undefined || !isWithoutTarget(route, services, domain);
  }

  async #look(id: string, stored: StoredRoute | undefined): Promise<Look> {
    const { inForce } = this.#settings;
    if (stored === undefined) {
      inForce.forget(`Route ${id}`);
      return NO_LOOK;
    }
    this.#known.add(id);
    const { revision: _, ...route } = stored;
    const look = await inForce.look(`Route ${id}`, [route]);
    const isLate = look.again !== undefined && look.again > SOON_MS;
    return isLate ? { ...look, again: Math.max(look.again ?? 0, (this.#known.size / LATE_LOOKS) * 1000) } : look;
  }
}
