// The route file and the plugin configuration, from their JSON Schemas.
import { pluginJsonSchema, routeFileJsonSchema } from "../../routes/index.ts";
import { PRESETS, sourceText } from "../../routes/model/sources.ts";
import { code, page, table } from "./markdown.ts";

type Schema = {
  type?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  enum?: string[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  maxItems?: number;
};

export function routeFileReference(): string {
  return page(
    "Route file",
    "The file that `--routes` reads, in YAML or JSON. It names services; the command turns them into clusters. All fields are " +
      "optional unless they are said to be required; unknown ones are errors. Editors take the schema from " +
      "`keyway/route-file.schema.json`.",
    ...objects("The file", routeFileJsonSchema()),
    ...presets(),
  );
}

export function configurationReference(): string {
  return page(
    "Plugin configuration",
    "The JSON that the filter reads: in envoy.yaml the plugin's `configuration`, in a WasmPlugin its `pluginConfig`. It names " +
      "clusters. All fields are optional unless they are said to be required; unknown ones are errors. Editors take the schema " +
      "from `keyway/configuration.schema.json`.",
    ...objects("The configuration", pluginJsonSchema()),
    ...presets(),
  );
}

function presets(): string[] {
  const rows = [...PRESETS].map(([name, sources]) => [
    code(name),
    sources.map((one) => code(sourceText(one))).join(", "),
  ]);
  return ["## Presets among the sources", table(["preset", "stands for, in this order"], rows)];
}

/** A table for the object, then one for each list of objects and each object in it. */
function objects(title: string, schema: Schema): string[] {
  const fields = Object.entries(schema.properties ?? {});
  const rows = fields.map(([name, field]) => [
    code(name),
    typeOf(field),
    [field.description ?? "", schema.required?.includes(name) ? "Required." : ""]
      .filter((text) => text !== "")
      .join(" "),
  ]);
  const inner = fields.flatMap(([name, field]) => {
    if (field.properties) return objects(`The fields of \`${name}\``, field);
    return field.items?.properties ? objects(`An item of \`${name}\``, field.items) : [];
  });
  const about = schema.description === undefined ? [] : [schema.description];
  return [`## ${title}`, ...about, table(["field", "type", "meaning"], rows), ...inner];
}

function typeOf({ type, anyOf, items, enum: words, properties, ...limits }: Schema): string {
  if (anyOf) return anyOf.map(typeOf).join(", or ");
  if (words) return words.map(code).join(", ");
  if (items) return `list${limits.maxItems === undefined ? "" : ` of at most ${limits.maxItems}`}`;
  if (properties) return code(`{${Object.keys(properties).join(", ")}}`);
  if (type === "string") return limits.maxLength === undefined ? "text" : `text of at most ${limits.maxLength} bytes`;
  if (type === "number") return `number from ${limits.minimum} to ${limits.maximum}`;
  return type === "boolean" ? "`true` or `false`" : (type ?? "anything");
}
