// `table` of the configuration: where the live table comes from. The builder takes it as live/settings.ts lays it down.
import { TABLE_PATH } from "../../routes/model/feed";
import { MAX_CLUSTER, MAX_TEXT } from "../../routes/model/names";
import { Writer, writer } from "../host/writer";
import { settings } from "../table/builder";
import { DELETE, SLASH, SPACE } from "../text/ascii";
import { report, inList } from "./diagnostic";
import { broken, isNamed, noteField, openObject, readCluster, readText, required } from "./fields";
import * as json from "./json";

const CLUSTER: u32 = 1;
const AUTHORITY: u32 = 2;
const PATH: u32 = 4;
const SCOPE: u32 = 8;
const TOKEN: u32 = 16;

const cluster = writer();
const authority = writer();
const path = writer();
const scope = writer();
const token = writer();

function tableField(): u32 {
  if (isNamed("cluster")) return CLUSTER;
  if (isNamed("authority")) return AUTHORITY;
  if (isNamed("path")) return PATH;
  if (isNamed("scope")) return SCOPE;
  return isNamed("token") ? TOKEN : 0;
}

export function readTable(): void {
  inList("table", -1);
  if (!openObject()) return;
  let seen: u32 = 0;
  authority.clear();
  path.clear().say(TABLE_PATH);
  scope.clear();
  token.clear();
  for (let first = true; json.nextField(first); first = false) {
    const field = tableField();
    seen = noteField(seen, field);
    if (broken()) return;
    if (field == CLUSTER) {
      if (readCluster("cluster", MAX_CLUSTER)) cluster.clear().bytes(json.text, json.textLen);
    } else if (field == AUTHORITY) {
      if (readVisible("authority", MAX_CLUSTER)) authority.clear().bytes(json.text, json.textLen);
    } else if (field == PATH) readPath();
    else if (field == SCOPE) {
      if (readText("scope", MAX_TEXT, 0)) scope.clear().bytes(json.text, json.textLen);
    } else if (readVisible("token", MAX_TEXT)) token.clear().bytes(json.text, json.textLen);
    if (broken()) return;
    inList("table", -1);
  }
  if (json.problem != null) return;
  if (!(seen & CLUSTER)) return required("cluster");
  if (!(seen & AUTHORITY)) authority.bytes(cluster.at, cluster.len);
  settings.clear();
  add(cluster);
  add(authority);
  add(path);
  add(scope);
  add(token);
}

function add(text: Writer): void {
  settings.u16(text.len).bytes(text.at, text.len);
}

function readPath(): void {
  if (!readVisible("path", MAX_CLUSTER)) return;
  if (load<u8>(json.text) == SLASH) path.clear().bytes(json.text, json.textLen);
  else report("expected a path that begins with /");
}

// Reads a text that becomes a part of a request.
function readVisible(name: Bytes, most: i32): bool {
  if (!readText(name, most)) return false;
  for (let i = 0; i < json.textLen; i++) {
    const c: i32 = load<u8>(json.text + i);
    if (c > SPACE && c < DELETE) continue;
    report("expected printable ASCII without spaces");
    return false;
  }
  return true;
}
