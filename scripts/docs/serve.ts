// The settings and metrics of the route server, from their descriptions.
import { METRICS } from "../../server/metrics.ts";
import { flagOf, SETTINGS, settingNames, variableOf } from "../../server/settings.ts";
import { code, page, table } from "./markdown.ts";

export function serveReference(): string {
  const settings = settingNames.map((name) => {
    const { description, preset } = SETTINGS[name];
    return [
      code(flagOf(name)),
      code(variableOf(name)),
      code(name),
      description,
      preset === undefined ? "" : code(preset),
    ];
  });
  const metrics = Object.entries(METRICS).map(([name, meaning]) => [code(name), meaning]);
  return page(
    "Route server",
    "## Settings",
    "`keyway serve` takes each as a flag, as a variable, or as a field of the YAML file that `--config` names. Flags win over variables, " +
      "these over the file, and the file over defaults.",
    table(["flag", "variable", "field", "meaning", "default"], settings),
    "## Metrics",
    "At `/metrics`, in Prometheus' text form, beside the metrics of Node.js and its process that prom-client collects.",
    table(["metric", "meaning"], metrics),
  );
}
