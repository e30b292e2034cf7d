// The messages of package `routes` as protobuf, by their field numbers. Every message within a rule is written, also where it is empty:
// clients in Go look into them without asking whether they are there.
import protobuf from "protobufjs/minimal.js";
import type { Filter } from "./rule-table.ts";
import type { Baseline, Location, Mapping, Rule } from "./rules.ts";
import type { Operation } from "./watch.ts";

const OPS = { ADD: 0, REMOVE: 1, REPLACE: 2, SYNCED: 3 } as const;

const TEXT = 2; // the wire type of what has a length: texts and messages
const tag = (field: number, wire = TEXT) => (field << 3) | wire;

const encoded = new WeakMap<Rule, Uint8Array>();

/** A WorkloadRoutingRule; the same bytes for whoever asks for it. */
export function encodeRule(rule: Rule): Uint8Array {
  const known = encoded.get(rule);
  if (known) return known;
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1)).string(rule.routingKey);
  message(writer, 2, () => writeBaseline(writer, rule.baseline));
  message(writer, 3, () => writer.uint32(tag(1)).string(rule.destinationSandbox.name));
  for (const mapping of rule.mappings) message(writer, 4, () => writeMapping(writer, mapping));
  const bytes = writer.finish();
  encoded.set(rule, bytes);
  return bytes;
}

/** A WorkloadRoutingRuleOp. */
export function encodeOperation(operation: Operation): Buffer {
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1, 0)).uint32(OPS[operation.op]);
  if (operation.op !== "SYNCED") writer.uint32(tag(2)).bytes(encodeRule(operation.rule));
  return Buffer.from(writer.finish());
}

/** A GetWorkloadRoutingRulesResponse; undefined where it would be larger than `most` bytes. */
export function encodeRules(rules: Iterable<Rule>, most: number): Buffer | undefined {
  const writer = protobuf.Writer.create();
  for (const rule of rules) {
    writer.uint32(tag(1)).bytes(encodeRule(rule));
    if (writer.len > most) return undefined;
  }
  return Buffer.from(writer.finish());
}

/** A WorkloadRoutingRulesRequest as the filter that it means: an empty text is none. Throws for bytes that are no message. */
export function decodeRequest(bytes: Uint8Array): Filter {
  const filter: Filter = {};
  const set = (name: keyof Filter) => (reader: protobuf.Reader) => {
    const value = reader.string();
    if (value === "") delete filter[name];
    else filter[name] = value;
  };
  const baseline = { 1: set("kind"), 2: set("namespace"), 3: set("name") };
  const fields = {
    1: (reader: protobuf.Reader) => readFields(within(reader), baseline),
    2: set("routingKey"),
    3: (reader: protobuf.Reader) => readFields(within(reader), { 1: set("sandbox") }),
  };
  readFields(protobuf.Reader.create(bytes), fields);
  return filter;
}

type Fields = Readonly<Record<number, (reader: protobuf.Reader) => void>>;

/** Fields that are not known are passed over, as those of newer clients have to be. */
function readFields(reader: protobuf.Reader, fields: Fields): void {
  while (reader.pos < reader.len) {
    const next = reader.uint32();
    const field = (next & 7) === TEXT ? fields[next >>> 3] : undefined;
    if (field) field(reader);
    else reader.skipType(next & 7);
  }
}

const within = (reader: protobuf.Reader) => protobuf.Reader.create(reader.bytes());

function message(writer: protobuf.Writer, field: number, write: () => void): void {
  writer.uint32(tag(field)).fork();
  write();
  writer.ldelim();
}

function writeBaseline(writer: protobuf.Writer, { kind, namespace, name }: Baseline): void {
  writer.uint32(tag(1)).string(kind).uint32(tag(2)).string(namespace).uint32(tag(3)).string(name);
}

function writeMapping(writer: protobuf.Writer, { workloadPort, destinations }: Mapping): void {
  writer.uint32(tag(1, 0)).uint32(workloadPort);
  for (const destination of destinations) message(writer, 2, () => writeLocation(writer, destination));
}

function writeLocation(writer: protobuf.Writer, { host, port }: Location): void {
  writer.uint32(tag(1)).string(host).uint32(tag(2, 0)).uint32(port);
}
