// @ts-nocheck: AssemblyScript, compiled by asc alone.
// The filter's pure functions, for tests to call with bytes that they have put at `input`.

export { resetScratch } from "../../../filter/host/memory";
export { nextCookie } from "../../../filter/sources/cookie";
export { found, foundLen, isKey } from "../../../filter/sources/found";
export { nextHeader } from "../../../filter/sources/header";
export { nextHost } from "../../../filter/sources/host";
export { nextClaim } from "../../../filter/sources/jwt";
export { nextBaggage, nextOverride, nextTracestate } from "../../../filter/sources/members";
export { nextQuery, queryOf } from "../../../filter/sources/query";
export { hashWithoutSubset } from "../../../filter/table/cluster";
export { decodeBase64Url } from "../../../filter/text/base64url";
export { contains, find, sameFolded } from "../../../filter/text/bytes";
export { parseDate } from "../../../filter/text/date";
export { hash } from "../../../filter/text/hash";
export { decoded, decodePercent } from "../../../filter/text/percent";

import "../../../filter/host/abort";
import { serviceOf } from "../../../filter/table/cluster";

export const ROOM = 1 << 17;
export const input = memory.data(ROOM);

export function serviceOffset(at: usize, len: i32): i32 {
  return <i32>(serviceOf(at, len) - at);
}
