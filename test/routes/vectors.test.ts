// The vectors that the filter must agree with too.
import { describe, expect, test } from "vitest";
import { verifySignature } from "../../installer/keys/verify.ts";
import { decide } from "../../routes/deciding/decide.ts";
import { explain } from "../../routes/deciding/explain.ts";
import { candidates } from "../../routes/deciding/scan.ts";
import { isKey } from "../../routes/model/key.ts";
import { parseSource } from "../../routes/model/sources.ts";
import { parseConfiguration } from "../../routes/reading/configuration.ts";
import { ConfigurationError, formatDiagnostic } from "../../routes/reading/diagnostic.ts";
import { decisions, edges, errors, explanations, sources, texts, tokens } from "../host/vectors.ts";

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
  test.each([...sources, ...tokens])("$name", ({ source, headers, cluster = "reviews", candidates: keys }) => {
    const parsed = parseSource(source);
    if (parsed instanceof Error) throw parsed;
    expect(parsed.flatMap((own) => candidates(own, headers, cluster)).filter(isKey)).toEqual(keys);
  });
});

test("every vector of decisions and explanations is a configuration without mistakes", () => {
  for (const { config } of [...decisions, ...texts, ...edges, ...explanations]) expect(diagnostics(config)).toEqual([]);
});

describe("explanations", () => {
  test.each(explanations)("$name", ({ config, requests }) => {
    for (const { explanation, missing, ...input } of requests) {
      const now = Date.UTC(2030, 0, 1) / 1000;
      expect(explain(parseConfiguration(config), { ...input, now, missing: new Set(missing) })).toEqual(explanation);
    }
  });
});

describe("decisions", () => {
  test.each([...decisions, ...texts, ...edges])("$name", ({ config, now = "2030-01-01T00:00:00Z", requests }) => {
    for (const { decision, ...input } of requests) {
      const { outcome, key, to } = decide(parseConfiguration(config), {
        ...input,
        now: Date.parse(now) / 1000,
        verify: verifySignature,
      });
      expect({ outcome, key, to }).toEqual(decision);
    }
  });
});
