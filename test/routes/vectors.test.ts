// The vectors that the filter must agree with too.
import { describe, expect, test } from "vitest";
import { decide } from "../../routes/deciding/decide.ts";
import { candidates } from "../../routes/deciding/scan.ts";
import { isKey } from "../../routes/model/key.ts";
import { parseSource } from "../../routes/model/sources.ts";
import { parseConfiguration } from "../../routes/reading/configuration.ts";
import { ConfigurationError, formatDiagnostic } from "../../routes/reading/diagnostic.ts";
import { decisions, errors, sources } from "../host/vectors.ts";

const diagnostics = (value: unknown) => {
  try {
    parseConfiguration(value);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.diagnostics.map(formatDiagnostic);
    throw error;
  }
};

describe("a wrong configuration: what the filter says first is said here too", () => {
  test.each(errors)("$name", ({ config, error }) => {
    expect(diagnostics(config)).toContain(error);
  });
});

describe("a source finds its keys in order", () => {
  test.each(sources)("$name", ({ source, headers, cluster = "reviews", candidates: keys }) => {
    const parsed = parseSource(source);
    if (parsed instanceof Error) throw parsed;
    expect(parsed.flatMap((own) => candidates(own, headers, cluster)).filter(isKey)).toEqual(keys);
  });
});

describe("decisions", () => {
  test.each(decisions)("$name", ({ config, now = "2030-01-01T00:00:00Z", requests }) => {
    for (const { decision, ...asked } of requests) {
      const { outcome, key, to } = decide(parseConfiguration(config), { ...asked, now: Date.parse(now) / 1000 });
      expect({ outcome, key, to }).toEqual(decision);
    }
  });
});
