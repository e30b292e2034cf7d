import { isRouteId } from "../../routes/model/live-route.ts";
import { ApiError } from "./errors.ts";

/** Where a list goes on: after this id. */
export const cursorOf = (id: string): string => Buffer.from(`after ${id}`).toString("base64url");

/** The id that a list goes on after. */
export function idOf(cursor: string): string {
  const id = /^after (.*)$/.exec(Buffer.from(cursor, "base64url").toString("utf8"))?.[1] ?? "";
  if (isRouteId(id) && cursorOf(id) === cursor) return id;
  const message = "expected the `next` of the answer before";
  throw new ApiError(400, `the query can't be used: cursor: ${message}`, { details: [{ path: "cursor", message }] });
}
