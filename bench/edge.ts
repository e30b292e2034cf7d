// What `edge` costs a request: Envoy's CPU per request, as ratios to the plain filter. All requests are about as long. The signed keys are the same
// all the time, as those of a browser are, so each worker verifies one once.
import { parseArgs } from "node:util";
import { ecdsa, hmac, type Signer, signed } from "../test/host/edge-keys.ts";
import { BASELINE, TARGET } from "./lib/bootstrap.ts";
import { modules } from "./lib/compile.ts";
import type { Subject } from "./lib/fleet.ts";
import { keyText } from "./lib/load.ts";
import { printRatios } from "./lib/ratios.ts";
import { cpuRounds, overFleets, seriesOf } from "./lib/rounds.ts";
import { keyway } from "./lib/sites.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "16" } } });
const KEY = keyText(0);
const plain = {
  keys: ["header:x-routing-key"],
  routes: [{ from: BASELINE, key: KEY, to: TARGET }],
  hopMark: "route",
};
const signers = { ecdsa: ecdsa(), hmac: hmac() };
const keys = Object.values(signers).map(({ entry }) => entry);

/** A request with this value in the header that is said; the last header is what the load ends in. */
function subject(name: string, edge: object | undefined, header: string, value: string): Subject {
  const config = edge ? { ...plain, edge } : plain;
  const load = { header: `${header}: ${value}\r\nx-another-one: pr-`, first: 0, last: 0 };
  const isRouted = header === "x-routing-key";
  return { name, site: keyway(modules, JSON.stringify(config)), load, goesTo: isRouted ? TARGET : BASELINE };
}
const token = (signer: Signer) => signed(signer, KEY);
const filler = token(signers.ecdsa);
const subjects = [
  subject("no key, plain", undefined, "x-another-key", filler),
  subject("no key, none accepted", { accept: "none" }, "x-another-key", filler),
  subject("no key, signed ones accepted", { accept: "signed", keys }, "x-another-key", filler),
  subject("keyed, plain", undefined, "x-routing-key", `${KEY}\r\nx-filler: ${filler}`),
  subject("keyed, signed (ECDSA)", { accept: "signed", keys }, "x-routing-key", token(signers.ecdsa)),
  subject("keyed, signed (HMAC)", { accept: "signed", keys }, "x-routing-key", token(signers.hmac)),
];
const costs = seriesOf(subjects);
await overFleets(subjects, Number(values.rounds), (running, share) => cpuRounds(running, share, costs));

printRatios(costs, (name) => (name.startsWith("no key") ? "no key, plain" : "keyed, plain"));
