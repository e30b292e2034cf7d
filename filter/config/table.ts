// `table` of the configuration: where the live table comes from. The builder takes it as live/settings.ts lays it down.
import { TABLE_PATH } from "../../routes/model/feed";
import { MAX_CLUSTER, MAX_TEXT } from "../../routes/model/names";
import { Writer } from "../host/writer";
import { settings } from "../table/builder";
import { DELETE, SLASH, SPACE } from "../text/ascii";
import { report, inList } from "./diagnostic";
import { broken, isNamed, noteField, openObject, readCluster, readText, required } from "./fields";
import * as json from "./json";

// The bits of the fields, in the order of live/settings.ts.
const CLUSTER: u32 = 1;
const AUTHORITY: u32 = 2;
const PATH: u32 = 4;
const SCOPE: u32 = 8;
const TOKEN: u32 = 16;
const FIELDS = 5;

const texts = memory.data(FIELDS * offsetof<Writer>());

function textOf(field: u32): Writer {
  return changetype<Writer>(texts + ctz(field) * offsetof<Writer>());
}

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
  for (let field = CLUSTER; field <= TOKEN; field <<= 1) textOf(field).clear();
  textOf(PATH).say(TABLE_PATH);
  for (let first = true; json.nextField(first); first = false) {
    const field = tableField();
    seen = noteField(seen, field);
    if (broken()) return;
    if (field == CLUSTER) readCluster("cluster", MAX_CLUSTER);
    else if (field == AUTHORITY) readVisible("authority", MAX_CLUSTER);
    else if (field == PATH) readPath();
    else if (field == SCOPE) readText("scope", MAX_TEXT, 0);
    else readVisible("token", MAX_TEXT);
    if (broken()) return;
    textOf(field).clear().bytes(json.text, json.textLen);
    inList("table", -1);
  }
  if (json.problem != null) return;
  if (!(seen & CLUSTER)) return required("cluster");
  const cluster = textOf(CLUSTER);
  if (!(seen & AUTHORITY)) textOf(AUTHORITY).bytes(cluster.at, cluster.len);
  settings.clear();
  for (let field = CLUSTER; field <= TOKEN; field <<= 1) {
    const text = textOf(field);
    settings.u16(text.len).bytes(text.at, text.len);
  }
}

function readPath(): void {
  readVisible("path", MAX_CLUSTER);
  if (!broken() && load<u8>(json.text) != SLASH) report("expected a path that begins with /");
}

// Reads a text that becomes a part of a request.
function readVisible(name: Bytes, most: i32): void {
  if (!readText(name, most)) return;
  for (let i = 0; i < json.textLen; i++) {
    const c: i32 = load<u8>(json.text + i);
    if (c <= SPACE || c >= DELETE) return report("expected printable ASCII without spaces");
  }
}
