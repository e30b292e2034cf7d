// Envoy reads its configuration as protobuf JSON, where a field may be spelled in snake_case or in lowerCamelCase.

export type Message = { readonly [field: string]: unknown };
export type Spelling = "snake" | "camel";

/** The key under which a message has a field, which is named in snake_case here. */
export function keyOf(message: Message, name: string): string | undefined {
  return [name, camel(name)].find((key) => message[key] !== undefined && message[key] !== null);
}

/** The value of a field, which is named in snake_case here. */
export function field<Value = unknown>(message: Message, name: string): Value | undefined {
  const key = keyOf(message, name);
  return key === undefined ? undefined : (message[key] as Value);
}

/** The message with another value in a field, under the key that it has already or else in the given spelling. */
export function withField(message: Message, name: string, value: unknown, spelling: Spelling): Message {
  return { ...message, [keyOf(message, name) ?? spelled(name, spelling)]: value };
}

/** The message without some of its fields, which are named in snake_case here. */
export function withoutFields(message: Message, names: readonly string[]): Message {
  const keys = new Set(names.flatMap((name) => [name, camel(name)]));
  return Object.fromEntries(Object.entries(message).filter(([key]) => !keys.has(key)));
}

export function spelled(name: string, spelling: Spelling): string {
  return spelling === "camel" ? camel(name) : name;
}

/** A value whose fields are written in snake_case, in another spelling. Not for values with maps, whose keys are data. */
export function respelled<Value>(value: Value, spelling: Spelling): Value {
  if (spelling === "snake" || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => respelled(item, spelling)) as Value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [camel(key), respelled(item, spelling)]),
  ) as Value;
}

export function isMessage(value: unknown): value is Message {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The messages in a repeated field; what is no message there is left out. */
export function messages(message: Message, name: string): readonly Message[] {
  const list = field(message, name);
  return Array.isArray(list) ? list.filter(isMessage) : [];
}

function camel(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
