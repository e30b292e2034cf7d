import { wasmPlugin } from "../manifests/wasmplugin.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./context.ts";
import { ofModule } from "./module.ts";

/** A module refuses a configuration with a field that it does not know, and has the names of those that it knows in its text. */
export const moduleUnderstands: Check<CheckContext> = {
  id: "module-fields",
  description: "the module knows every field of its configuration",
  severity: "fatal",
  hint: "it is of an older release: publish this one's with `keyway publish`, and give the URL that it prints with --module",
  needs: ["module-pull"],
  run: ofModule((module, { installation }) => {
    const fields = Object.keys(wasmPlugin(installation).spec?.pluginConfig ?? {});
    const unknown = fields.filter((field) => !module.includes(field));
    return unknown.length === 0 ? { holds: true } : { holds: false, detail: `it does not know ${unknown.join(", ")}` };
  }),
};
