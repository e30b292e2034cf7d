// Which instances a client asks for, and which of their fields.
import { A8Error } from "./errors.ts";
import { FIELDS, type Instance } from "./instance.ts";

export interface InstanceQuery {
  fits(instance: Instance): boolean;
  /** All of them unless said. */
  fields?: string[];
}

/** Without any condition only instances that are up are meant. Throws an A8Error for anything that can't be asked for. */
export function readInstanceQuery(query: URLSearchParams): InstanceQuery {
  const conditions: ((instance: Instance) => boolean)[] = [];
  let fields: string[] | undefined;
  let isOpen = true;
  for (const name of new Set(query.keys())) {
    const value = query.get(name) ?? "";
    if (name === "fields") fields = fieldsOf(value);
    else {
      const condition = conditionOf(name, value);
      isOpen = false;
      if (condition) conditions.push(condition);
    }
  }
  if (isOpen) conditions.push(({ status }) => status === "UP");
  return { fits: (instance) => conditions.every((one) => one(instance)), ...(fields && { fields }) };
}

function fieldsOf(value: string): string[] {
  const names = value === "" ? [] : value.split(",");
  const unknown = names.find((name) => !FIELDS.some((one) => one === name));
  if (unknown === undefined) return names;
  throw bad(`fields: Undefined or malformed instance fields in filter: ${unknown}; there are ${FIELDS.join(", ")}`);
}

/** Undefined for a condition that fits all. */
function conditionOf(name: string, value: string): ((instance: Instance) => boolean) | undefined {
  if (name === "id") return ({ id }) => id === value;
  if (name === "service_name") return ({ service }) => service === value;
  if (name === "tags") return ({ tags }) => value.split(",").every((tag) => tags.includes(tag));
  if (name === "status") {
    const wanted = value.toUpperCase();
    return wanted === "ALL" ? undefined : ({ status }) => status === wanted;
  }
  throw bad(
    `Malformed or invalid instance selection criteria: ${name}; instances are selected by service_name, tags, status and id`,
  );
}

const bad = (message: string) => new A8Error(400, "error_invalid_filter", message);
