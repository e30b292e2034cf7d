// `emit` of the configuration: the forms in which a key leaves.
import { MAX_FORMS, OWN_HEADERS } from "../../routes/model/names";
import { isForm } from "../emit/forms";
import {
  HEADER,
  TRACESTATE,
  afterSource,
  sourceHeader,
  sourceHeaderLen,
  sourceKind,
  sourceName,
  sourceNameLen,
} from "../sources/source";
import * as builder from "../table/builder";
import { COLON, LOWER_A, QUOTE, ZERO } from "../text/ascii";
import { find, is, startsWith } from "../text/bytes";
import { writer } from "../host/writer";
import { inList, report, reportMoreThan, reported } from "./diagnostic";
import { broken, openList } from "./fields";
import * as json from "./json";
import { addSource, isHeaderName } from "./sources";

const form = writer();

export function readEmit(): void {
  inList("emit", -1);
  if (!openList("expected a list of forms")) return;
  let i = 0;
  for (; json.nextItem(i == 0); i++) {
    inList("emit", i);
    if (json.peek() != QUOTE) report("expected a form in quotes");
    if (broken()) return;
    json.readString();
    if (json.problem == null) readForm();
    if (!reported() && i == MAX_FORMS) reportMoreThan(MAX_FORMS, "forms");
    if (broken()) return;
    builder.forms.bytes(form.at, form.len);
  }
  inList("emit", -1);
  if (i == 0) report("at least one form is needed");
}

/** Lets a key that its trace came in with leave in the first source that can be written to, where no forms were named. */
export function addDefaultForm(): void {
  const end = builder.sources.at + builder.sources.len;
  for (let source = builder.sources.at; source < end; source = afterSource(source)) {
    if (isForm(sourceKind(source)) && canHold(source)) return builder.addRecoveredForm(source);
  }
}

function readForm(): void {
  addSource(form.clear(), json.text, json.textLen);
  if (reported()) return;
  if (afterSource(form.at) != form.at + form.len) report("one form is needed, not several");
  else if (!isForm(sourceKind(form.at))) report("a key leaves as header, baggage, tracestate or cookie");
  else if (!canHold(form.at)) report("a name that no key can be written to");
}

// A header that HTTP or the filter has another use for holds no key; a name in a list is a token, in tracestate one of lower case.
function canHold(form: usize): bool {
  const kind = sourceKind(form);
  if (kind == HEADER) {
    const name = sourceHeader(form);
    const len = sourceHeaderLen(form);
    return load<u8>(name) != COLON && !startsWith(name, len, OWN_HEADERS) && !is(name, len, "host");
  }
  const name = sourceName(form);
  const len = sourceNameLen(form);
  if (kind != TRACESTATE) return load<u8>(name) != COLON && isHeaderName(name, len);
  const signs = "_-*/@";
  const signsEnd = signs.start + signs.len;
  for (let i = 0; i < len; i++) {
    const c: u32 = load<u8>(name + i);
    const plain = c - LOWER_A < 26 || c - ZERO < 10;
    if (!plain && (i == 0 || find(signs.start, signsEnd, c) == signsEnd)) return false;
  }
  return true;
}
