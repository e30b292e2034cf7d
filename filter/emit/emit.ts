// Writes the key that the request carries in the forms that the configuration names, whatever form it came in. The source that the key was read from
// has it already, perhaps among other candidates that a later proxy may prefer, and stays as it is. A form that holds another key gets
// this one, so that one request has one key from here on; one that holds this key already is not written, since a change of the
// headers makes Envoy look for the route again.
import { carried, carriedLen, carriedSource } from "../decision";
import { replaceHeader as replaceAtHost } from "../host/calls";
import * as request from "../request";
import {
  BAGGAGE,
  COOKIE,
  HEADER,
  afterSource,
  isSameSource,
  sourceHeader,
  sourceHeaderLen,
  sourceKind,
  sourceName,
  sourceNameLen,
} from "../sources/source";
import { firstForm, formCount } from "../table/header";
import { same } from "../text/bytes";
import { mergeCookie } from "./cookie";
import { addToBaggage, addToTracestate, merged } from "./members";

/** Writes what the request carries by the decision last made. */
export function emitKey(header: usize): void {
  let form = firstForm(header);
  for (let i = formCount(header); i > 0; i--) {
    if (!isSameSource(form, carriedSource)) write(form);
    form = afterSource(form);
  }
}

function write(form: usize): void {
  const header = sourceHeader(form);
  const headerLen = sourceHeaderLen(form);
  if (sourceKind(form) == COOKIE) {
    if (mergeCookie(form, carried, carriedLen)) replaceHeader(header, headerLen, merged.at, merged.len);
    return;
  }
  const there = request.readAllValues(header, headerLen);
  const value = request.value;
  const valueLen = there ? request.valueLen : 0;
  if (sourceKind(form) == HEADER) {
    if (!same(value, valueLen, carried, carriedLen)) replaceHeader(header, headerLen, carried, carriedLen);
    return;
  }
  const name = sourceName(form);
  const nameLen = sourceNameLen(form);
  const changed =
    sourceKind(form) == BAGGAGE
      ? addToBaggage(value, valueLen, name, nameLen, carried, carriedLen)
      : addToTracestate(value, valueLen, name, nameLen, carried, carriedLen);
  if (changed) replaceHeader(header, headerLen, merged.at, merged.len);
}

function replaceHeader(header: usize, headerLen: i32, value: usize, len: i32): void {
  replaceAtHost(header, headerLen, value, len);
  request.forgetHeaders();
}
