// The schema of `edge`; edge.ts has what the settings mean.
import { ACCEPTS, EDGE_TRACES, fromBase64, isPublicKey } from "./edge.ts";
import { flag, list, object, optional, text, word } from "./fields.ts";
import { LEAST_SECRET, MAX_EDGE_KEYS, MAX_KEY_ID, MAX_KEY_MATERIAL, MAX_SECRET } from "./names.ts";

const keyId = text(MAX_KEY_ID).refine(
  (id) => /^[-.\w]*$/.test(id),
  "an id has letters, digits, dots, dashes and underscores",
);
const publicKey = text(MAX_KEY_MATERIAL).refine(
  (base64) => isPublicKey(fromBase64(base64) ?? ""),
  "expected a public key, P-256 or RSA of 2048 to 4096 bits, as base64 of its DER (SubjectPublicKeyInfo)",
);
const secret = text(MAX_KEY_MATERIAL).refine((base64) => {
  const { length } = fromBase64(base64) ?? "";
  return length >= LEAST_SECRET && length <= MAX_SECRET;
}, `expected ${LEAST_SECRET} to ${MAX_SECRET} bytes as base64`);

const edgeKey = object({
  id: keyId.meta({
    ...keyId.meta(),
    description: "The name by which a signed key says which of the keys verifies it.",
  }),
  publicKey: optional(
    publicKey,
    "A public key (P-256, or RSA of 2048 to 4096 bits) as base64 of its DER, SubjectPublicKeyInfo. Proxies then hold nothing that could sign.",
  ),
  secret: optional(
    secret,
    "A secret for HMAC-SHA-256 as base64. Whoever can read the proxy's configuration can sign with it.",
  ),
}).check(({ value, issues }) => {
  if ((value.publicKey === undefined) !== (value.secret === undefined)) return;
  issues.push({ code: "custom", input: value, message: "one of publicKey, secret is needed" });
});

const edgeKeys = list(edgeKey, "key", "keys", MAX_EDGE_KEYS).check(({ value, issues }) => {
  for (const [index, { id }] of value.entries()) {
    const first = value.findIndex((other) => other.id === id);
    if (first !== index)
      issues.push({ code: "custom", path: [index, "id"], input: id, message: `the same id as keys[${first}]` });
  }
});

export const edge = object({
  accept: word(ACCEPTS).meta({
    description:
      "Which keys are taken from outside: `none`, those that are `signed`, or `any`. All others are taken off, in every source and form that is named.",
  }),
  keys: optional(edgeKeys, "What verifies signed keys; each signed key names one of them by its id."),
  traces: optional(
    word(EDGE_TRACES),
    "Whether the ids of traces are taken off, so that nobody brings that of somebody else: `remove` (the default with none and signed) or `keep`.",
  ),
  unwrap: optional(
    flag,
    "True: a signed key goes on as the plain key in it, and only this proxy asks for which services it is.",
  ),
}).check(({ value: { accept, keys, unwrap }, issues }) => {
  const report = (message: string, field: string) =>
    issues.push({ code: "custom", path: [field], input: accept, message });
  if (accept === "none" && keys !== undefined) report("nothing is verified where no key is accepted", "keys");
  else if (accept === "signed" && keys === undefined) report("required", "keys");
  else if (unwrap !== undefined && keys === undefined) report("only with keys", "unwrap");
});
