import type { StoredRoute } from "../../routes/model/live-route.ts";
import { RouteIndex } from "../state/route-index.ts";
import type { Applied, State } from "../state/state.ts";
import { ANY_SERVICE, type ServiceChange } from "../store/store.ts";
import { namesOf } from "./naming.ts";
import { targetNames } from "./readiness.ts";
import type { Surroundings } from "./services.ts";

/** Routes that are read at one time. */
const AT_ONCE = 10_000;

/** The routes by the services that they name, so that a change of one service costs what names it. */
export class RoutesByService {
  readonly #state: Pick<State, "list">;
  readonly #surroundings: Surroundings;
  readonly #byTarget: RouteIndex;

  constructor(state: Pick<State, "list">, surroundings: Surroundings) {
    this.#state = state;
    this.#surroundings = surroundings;
    this.#byTarget = new RouteIndex((route) => targetNames(route, surroundings), {});
    for (const route of this.#all({})) this.#byTarget.add(route);
  }

  /** Takes a change over. The same change, with those routes that may have other names now, as the services that they name have changed. */
  apply(change: Applied): Applied {
    for (const { before, after } of change.set) {
      if (before) this.#byTarget.remove(before);
      this.#byTarget.add(after);
    }
    for (const route of change.delete) this.#byTarget.remove(route);
    const { services = [] } = change;
    if (services.length === 0) return change;
    const renamed = new Map(services.flatMap((one) => [...this.#routesOf(one)]).map((route) => [route.id, route]));
    for (const { after } of change.set) renamed.delete(after.id);
    return {
      ...change,
      set: [...change.set, ...[...renamed.values()].map((route) => ({ before: route, after: route }))],
    };
  }

  /** Those whose names in tables may depend on what has changed. Whether a service is ready concerns those alone that lead to it. */
  *#routesOf({ name, namespace, isOfPorts }: ServiceChange): Generator<StoredRoute, void> {
    if (name === ANY_SERVICE) return yield* this.#all({});
    yield* this.#byTarget.of(name);
    yield* this.#byTarget.of(`${name}.${namespace}`);
    if (!isOfPorts) return;
    for (const service of namesOf(name, namespace, this.#surroundings)) yield* this.#all({ service });
  }

  *#all(filter: { service?: string }): Generator<StoredRoute, void> {
    for (let after = ""; ; ) {
      const routes = this.#state.list(filter, AT_ONCE, after);
      yield* routes;
      if (routes.length < AT_ONCE) break;
      after = routes.at(-1)?.id ?? "";
    }
  }
}
