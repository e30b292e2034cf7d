// `edge` of the configuration: which keys are taken from outside; edge/options.ts shows what becomes of it.
import { LEAST_SECRET, MAX_EDGE_KEYS, MAX_KEY_ID, MAX_KEY_MATERIAL, MAX_SECRET } from "../../routes/model/names";
import { STATES, prepareSecret } from "../edge/hmac";
import * as options from "../edge/options";
import { isPublicKey } from "../edge/public-key";
import { writer } from "../host/writer";
import { EDGE } from "../sources/source";
import * as builder from "../table/builder";
import { CASE_BIT, DOT, LOWER_A, MINUS, UNDERSCORE, ZERO } from "../text/ascii";
import { decodeBase64 } from "../text/base64url";
import { same } from "../text/bytes";
import { hash } from "../text/hash";
import { beginReport, inField, inList, inSubList, report, reportMoreThan, reported } from "./diagnostic";
import { broken, isNamed, noteField, openList, openObject, readFlag, readText, readWord, required } from "./fields";
import * as json from "./json";

const ACCEPT: u32 = 1;
const KEYS: u32 = 2;
const TRACES: u32 = 4;
const UNWRAP: u32 = 8;

const ID: u32 = 1;
const PUBLIC_KEY: u32 = 2;
const SECRET: u32 = 4;

const keys = writer();
const material = writer();
const secret = memory.data(MAX_KEY_MATERIAL);
const id = memory.data(MAX_KEY_ID);
let idLen = 0;
let accept: u32 = 0;
let removesTraces = false;
let unwraps = false;

export function readEdge(): void {
  inList("edge", -1);
  if (!openObject()) return;
  let seen: u32 = 0;
  keys.clear();
  unwraps = false;
  for (let first = true; json.nextField(first); first = false) {
    const field = edgeField();
    seen = noteField(seen, field);
    if (broken()) return;
    if (field == ACCEPT) readAccept();
    else if (field == KEYS) readKeys();
    else if (field == TRACES) readTraces();
    else unwraps = readFlag("unwrap");
    if (broken()) return;
    inList("edge", -1);
  }
  if (json.problem == null && isWhole(seen)) addEdge(seen);
}

function edgeField(): u32 {
  if (isNamed("accept")) return ACCEPT;
  if (isNamed("keys")) return KEYS;
  if (isNamed("traces")) return TRACES;
  return isNamed("unwrap") ? UNWRAP : 0;
}

function readAccept(): void {
  const expected = "expected none, signed or any";
  if (!readWord("accept", expected)) return;
  if (isNamed("none")) accept = options.ACCEPT_NONE;
  else if (isNamed("signed")) accept = options.ACCEPT_SIGNED;
  else if (isNamed("any")) accept = options.ACCEPT_ANY;
  else report(expected);
}

function readTraces(): void {
  const expected = "expected remove or keep";
  if (!readWord("traces", expected)) return;
  removesTraces = isNamed("remove");
  if (!removesTraces && !isNamed("keep")) report(expected);
}

// Reports what is missing, or does not go with the rest.
function isWhole(seen: u32): bool {
  inSubList(null, -1);
  if (!(seen & ACCEPT)) required("accept");
  else if (accept == options.ACCEPT_NONE && seen & KEYS) {
    inField("keys");
    report("nothing is verified where no key is accepted");
  } else if (accept == options.ACCEPT_SIGNED && !(seen & KEYS)) required("keys");
  else if (seen & UNWRAP && !(seen & KEYS)) {
    inField("unwrap");
    report("only with keys");
  }
  return !reported();
}

function addEdge(seen: u32): void {
  const traces = seen & TRACES ? removesTraces : accept != options.ACCEPT_ANY;
  const flags = (traces ? options.REMOVES_TRACES : 0) | (unwraps ? options.UNWRAPS : 0);
  builder.edge
    .clear()
    .u8(EDGE)
    .u8(0)
    .u16(options.EDGE_FIXED + keys.len)
    .u8(accept)
    .u8(flags)
    .u64(hash(keys.at, keys.len))
    .bytes(keys.at, keys.len);
}

function readKeys(): void {
  inSubList("keys", -1);
  if (!openList("expected a list of keys")) return;
  let i = 0;
  for (; json.nextItem(i == 0); i++) {
    inSubList("keys", i);
    readKey();
    if (!broken()) inField(null);
    if (!broken() && i == MAX_EDGE_KEYS) reportMoreThan(MAX_EDGE_KEYS, "keys");
    if (broken()) return;
  }
  inSubList("keys", -1);
  if (i == 0) report("at least one key is needed");
}

function keyField(): u32 {
  if (isNamed("id")) return ID;
  if (isNamed("publicKey")) return PUBLIC_KEY;
  return isNamed("secret") ? SECRET : 0;
}

function readKey(): void {
  if (!openObject()) return;
  let seen: u32 = 0;
  for (let first = true; json.nextField(first); first = false) {
    const field = keyField();
    seen = noteField(seen, field);
    if (broken()) return;
    if (field == ID) readId();
    else if (field == PUBLIC_KEY) readPublicKey();
    else readSecret();
    if (broken()) return;
  }
  if (json.problem != null) return;
  inField(null);
  if (!(seen & ID)) return required("id");
  const kind = seen & (PUBLIC_KEY | SECRET);
  if (kind != PUBLIC_KEY && kind != SECRET) return report("one of publicKey, secret is needed");
  addKey(kind == SECRET ? options.SECRET : options.PUBLIC);
}

function addKey(kind: u32): void {
  inField("id");
  const end = keys.at + keys.len;
  let number = 0;
  for (let key = keys.at; key < end; key = options.materialOf(key) + options.materialLen(key)) {
    if (same(options.idOf(key), options.idLenOf(key), id, idLen)) {
      const line = beginReport();
      if (line) line.say("the same id as keys[").number(number).say("]");
      return;
    }
    number++;
  }
  keys.u8(kind).u8(idLen).u16(material.len).bytes(id, idLen).bytes(material.at, material.len);
}

// It stands in signed keys, between two `~`.
function readId(): void {
  if (!readText("id", MAX_KEY_ID)) return;
  for (let i = 0; i < json.textLen; i++) {
    const c: u32 = load<u8>(json.text + i);
    const plain = (c | CASE_BIT) - LOWER_A < 26 || c - ZERO < 10 || c == DOT || c == MINUS || c == UNDERSCORE;
    if (!plain) return report("an id has letters, digits, dots, dashes and underscores");
  }
  idLen = json.textLen;
  memory.copy(id, json.text, idLen);
}

function readPublicKey(): void {
  if (!readText("publicKey", MAX_KEY_MATERIAL)) return;
  const len = decodeBase64(json.text, json.textLen, material.clear().room(json.textLen));
  material.len = max(len, 0);
  if (!isPublicKey(material.at, material.len))
    report("expected a public key, P-256 or RSA of 2048 to 4096 bits, as base64 of its DER (SubjectPublicKeyInfo)");
}

function readSecret(): void {
  if (!readText("secret", MAX_KEY_MATERIAL)) return;
  const len = decodeBase64(json.text, json.textLen, secret);
  if (len >= LEAST_SECRET && len <= MAX_SECRET) return prepareSecret(secret, len, material.clear().room(STATES));
  const line = beginReport();
  if (line) line.say("expected ").number(LEAST_SECRET).say(" to ").number(MAX_SECRET).say(" bytes as base64");
}
