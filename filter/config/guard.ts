// What a proxy does whose first configuration has a mistake and asks to take no strangers' keys: it takes every key off that it knows of. These
// are those that the configuration names in what can be read of it, the default one, and those of other systems.
import { MAX_SOURCES } from "../../routes/model/names";
import * as options from "../edge/options";
import { Writer } from "../host/writer";
import { EDGE } from "../sources/source";
import * as builder from "../table/builder";
import { writeHeader } from "../table/header";
import { OPEN_BRACE, OPEN_BRACKET, QUOTE } from "../text/ascii";
import { isNamed } from "./fields";
import * as json from "./json";
import { addDefaultSource, addPresets, addSource } from "./sources";

/** Writes a header without a table to `to`, by the configuration of `size` bytes, which has been reported. Only inside on_configure. */
export function writeGuard(to: Writer, size: u32): void {
  builder.clear();
  json.openConfiguration(size);
  if (json.accept(OPEN_BRACE)) {
    for (let first = true; json.nextField(first); first = false) {
      if (isNamed("keys") || isNamed("emit")) readSources();
      else json.skipValue();
    }
  }
  addDefaultSource(builder.sources);
  addPresets(builder.sources);
  const flags = options.REMOVES_TRACES;
  builder.edge.u8(EDGE).u8(0).u16(options.EDGE_FIXED).u8(options.ACCEPT_NONE).u8(flags).u64(0);
  writeHeader(to.clear(), 0, 0);
}

// Mistakes among them are passed over: the first one of the whole has been reported.
function readSources(): void {
  if (!json.accept(OPEN_BRACKET)) return json.skipValue();
  for (let first = true; json.nextItem(first); first = false) {
    if (json.peek() != QUOTE) json.skipValue();
    else {
      json.readString();
      if (json.problem == null && builder.sourceCount() < MAX_SOURCES)
        addSource(builder.sources, json.text, json.textLen);
    }
  }
}
