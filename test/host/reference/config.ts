// The plugin configuration's shape, and what its sources stand for.
import type { scanners } from "./sources.ts";

export type Condition = {
  header?: string;
  cookie?: string;
  query?: string;
  exact?: string;
  prefix?: string;
  suffix?: string;
  contains?: string;
  present?: boolean;
};

export type Route = {
  from: string;
  key?: string;
  when?: Condition[];
  split?: { to: string; weight: number }[];
  to?: string;
  sticky?: string;
  expires?: string;
};

export type Configuration = { keys?: string[]; routes?: Route[]; explain?: boolean; strict?: boolean };

export type Source = { kind: keyof typeof scanners; name: string };

const presets: Record<string, string[]> = {
  signadot: [
    "baggage:sd-routing-key",
    "tracestate:sd-routing-key",
    "header:ot-baggage-sd-routing-key",
    "header:uberctx-sd-routing-key",
  ],
  bridge: ["header:kubernetes-route-as"],
  overrides: ["overrides:x-override"],
  okteto: ["baggage:okteto-divert"],
  mirrord: ["baggage:mirrord-session"],
  telepresence: ["header:x-telepresence-intercept-id"],
};

/** `KIND:NAME`, or a preset, as single sources. */
export function expand(text: string): Source[] {
  const preset = presets[text];
  if (preset) return preset.flatMap(expand);
  const colon = text.indexOf(":");
  const kind = text.slice(0, colon) as Source["kind"];
  const name = text.slice(colon + 1);
  return [{ kind, name: kind === "host" && !name.startsWith(".") ? `.${name}` : name }];
}
