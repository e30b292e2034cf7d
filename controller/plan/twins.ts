import type { LiveRoute } from "../../routes/model/live-route.ts";
import { placeOf } from "../../routes/reading/place.ts";
import { Groups } from "./groups.ts";

/** Routes of the same baseline, key and conditions: of those that are in their table proxies take the one whose id is first. */
export class Twins {
  readonly #identities = new Map<string, string>();
  readonly #alike = new Groups<string>();

  /** The ids of those that are another's twins now, or were. */
  put(id: string, route: LiveRoute | undefined): Set<string> {
    const before = this.#identities.get(id);
    const after = route && identityOf(route);
    if (before === after) return new Set();
    const told = new Set([...this.#alikeTo(before), ...this.#alikeTo(after)]);
    if (before !== undefined) this.#alike.delete(before, id);
    if (after === undefined) this.#identities.delete(id);
    else {
      this.#identities.set(id, after);
      this.#alike.add(after, id);
    }
    told.delete(id);
    return told;
  }

  /** The ids of its twins that go before it, in order. */
  before(id: string): string[] {
    return [...this.#alikeTo(this.#identities.get(id))].filter((other) => other < id).sort();
  }

  #alikeTo(identity: string | undefined): ReadonlySet<string> {
    return this.#alike.of(identity ?? "");
  }
}

/** Undefined for a route without a key. */
function identityOf(route: LiveRoute): string | undefined {
  if (route.key === undefined) return undefined;
  const { name, namespace = "", port = "", conditions } = placeOf(route);
  return [name, namespace, port, route.key, conditions].join("\n");
}
