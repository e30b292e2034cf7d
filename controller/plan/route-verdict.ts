// What the status of a Route says of the resource itself.
import { parseDate } from "../../routes/model/date.ts";
import type { LiveRoute } from "../../routes/model/live-route.ts";
import type { Said } from "./conditions.ts";

/** What there is to say of a Route, as far as the resources alone tell. */
export interface RouteVerdict {
  /** Why it is no route. */
  wrong?: string;
  /** The ids of the Routes for the same baseline, key and conditions that go before it, in order. */
  twins?: readonly string[];
}

export interface AcceptanceFacts {
  wrong: string | undefined;
  /** The id of the twin that is taken in its place. */
  twin: string | undefined;
  /** What it stands for; undefined where it is none, or the server has not taken it over yet. */
  route: LiveRoute | undefined;
  /** Milliseconds since 1970. */
  now: number;
}

export function acceptedRoute({ wrong, twin, route, now }: AcceptanceFacts): Said {
  const type = "Accepted";
  if (wrong !== undefined) {
    return { type, status: "False", reason: "Invalid", message: `${wrong}; mend it and apply it again` };
  }
  if (twin !== undefined) {
    const what = route?.when === undefined ? "service and key" : "service, key and conditions";
    const message = `Route ${twin} has the same ${what} and comes before it by name, so it takes all of the requests; change one of them, or delete one`;
    return { type, status: "False", reason: "Twin", message };
  }
  const end = parseDate(route?.expires ?? "");
  if (end !== undefined && end * 1000 <= now) {
    const message = `its time was over at ${route?.expires}; the route server deletes it; apply it with a later spec.expires to have it again`;
    return { type, status: "False", reason: "Expired", message };
  }
  return { type, status: "True", reason: "Accepted", message: "its requests are routed" };
}
