// Answers of the proxy's own, in JSON.
import { respond } from "./host/calls";
import { addPair, allPairs } from "./host/pairs";
import { Writer } from "./host/writer";

const TYPE = "content-type";
const JSON = "application/json";

/** Answers with the header pairs that were added and with the body; false when the host would not. `details` are for access logs. */
export function respondJson(status: u32, body: Writer, details: Bytes): bool {
  addPair(TYPE, JSON.start, JSON.len);
  const pairs = allPairs();
  return respond(status, pairs.at, pairs.len, body.at, body.len, details);
}
