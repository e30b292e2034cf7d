// The words of Amalgam8's `a8ctl route-set`: `--default v1 --selector 'v2(user="Alice")' --selector 'v3(weight=0.1)'`.

import { comparisonOf } from "../../import/comparison.ts";
import type { LiveRoute } from "../../routes/model/live-route.ts";
import type { Condition, Reference, Share } from "../../routes/model/model.ts";
import { cutOff, toUnits, WHOLE } from "../../routes/model/weight.ts";
import { UsageError } from "../../shared/errors.ts";
import { slugOf } from "../../shared/short-name.ts";

/** What was said, and which flag said it. */
export interface Words {
  service: string;
  default: string;
  selectors: readonly string[];
  /** Conditions that narrow every route. */
  when?: readonly Condition[];
  sticky?: string;
}

export interface FromWords {
  routes: LiveRoute[];
  /** What means something else to Keyway than it meant to Amalgam8, each with its place. */
  remarks: string[];
}

const KINDS = ["weight", "user", "header"] as const;
type Kind = (typeof KINDS)[number];

interface Selector {
  /** For messages: `--selector 2, v2(user="Alice")`. */
  place: string;
  target: Reference;
  kind: Kind;
  value: string;
}

/**
 * The routes that the words stand for: one for each user or header, the first selector first, and one for the default with all weights. Their ids
 * are numbered, so that the order in which they are tried is the order of their ids. Throws a UsageError for what is none of these words.
 */
export function routesFromWords(words: Words): FromWords {
  const { service, when = [], sticky } = words;
  const remarks: string[] = [];
  const target = (tags: string, place: string) => ({ service, subset: subsetOf(tags, place, remarks) });
  const byDefault = target(words.default, `--default ${words.default}`);
  const selectors = words.selectors.map((text, index): Selector => {
    const place = `--selector ${index + 1}, ${text}`;
    const { tags, kind, value } = takeApart(text, place);
    return { place, target: target(tags, place), kind, value };
  });
  const rules = selectors.filter(({ kind }) => kind !== "weight");
  const conditional = rules.map((one, index): LiveRoute => {
    return { id: wordsId(service, index + 1), service, when: [...when, condition(one, remarks)], to: one.target };
  });
  const shares = weighted(selectors);
  const rest = WHOLE - shares.reduce((sum, { weight }) => sum + toUnits(weight), 0);
  if (rest < 0) throw new UsageError("the weights of --selector are more than 1 together");
  const split = [...shares, ...(rest > 0 ? [{ to: byDefault, weight: rest / 10_000 }] : [])];
  if (shares.length > 0 && sticky === undefined) {
    remarks.push(
      "weight: Amalgam8 0.x keeps a browser with the version it got by a cookie; Keyway chooses anew for each request unless --sticky says by what",
    );
  }
  const last: LiveRoute = {
    id: wordsId(service, rules.length + 1),
    service,
    ...(when.length > 0 && { when: [...when] }),
    split,
    ...(sticky !== undefined && { sticky }),
  };
  return { routes: [...conditional, last], remarks };
}

const wordsId = (service: string, number: number): string =>
  `${slugOf(service)}-set-${String(number).padStart(3, "0")}`;

/** Whether a route of the service was made from words like these. */
export function isFromWords({ id, service }: LiveRoute, of: string): boolean {
  return service === of && id.startsWith(`${slugOf(of)}-set-`) && /-set-\d{3}$/.test(id);
}

function takeApart(text: string, place: string): { tags: string; kind: Kind; value: string } {
  const [, tags = "", inside = ""] = /^([^(]*)\((.*)\)\s*$/s.exec(text) ?? [];
  const [, name = "", value = ""] = /^\s*(\w+)\s*=(.*)$/s.exec(inside) ?? [];
  const next = `write it like v2(user="Alice"), v2(header="Foo:bar") or v2(weight=0.1)`;
  if (tags.trim() === "" || name === "") throw new UsageError(`${place}: this is no selector`, { next });
  const kind = KINDS.find((one) => one === name);
  if (kind === undefined)
    throw new UsageError(`${place}: unknown kind ${name}; there is ${KINDS.join(", ")}`, { next });
  const trimmed = value.replace(/^[\s"]+|[\s"]+$/g, "");
  if (trimmed === "") throw new UsageError(`${place}: ${kind} has no value`, { next });
  if (/"\s*,\s*\w+\s*=/.test(value) || (kind === "weight" && value.includes(","))) {
    throw new UsageError(`${place}: a selector has one kind; give --selector again for another`, { next });
  }
  return { tags, kind, value: trimmed };
}

/** Amalgam8 asks for instances with all tags; Istio knows a set of instances by the one name of a subset. */
function subsetOf(text: string, place: string, remarks: string[]): string {
  const [tag = "", ...more] = text.split(",").map((one) => one.trim());
  if (tag === "") throw new UsageError(`${place}: which version?`, { next: "name a subset of the service: v1" });
  if (more.length > 0) {
    throw new UsageError(`${place}: a route leads to one subset, and these are ${more.length + 1} tags`, {
      next: "declare a subset with all these labels in the service's DestinationRule, and name that",
    });
  }
  const [, label, value] = /^([^=]+)=(.+)$/.exec(tag) ?? [];
  if (value === undefined) return tag;
  remarks.push(
    `${place}: the label ${label}=${value} is taken for the subset ${value}; see that a DestinationRule declares it so`,
  );
  return value;
}

function weighted(selectors: readonly Selector[]): Share<Reference>[] {
  return selectors
    .filter(({ kind }) => kind === "weight")
    .map(({ place, target, value }) => {
      const weight = /^(?:\d+(?:\.\d*)?|\.\d+)$/.test(value) ? Number(value) : Number.NaN;
      if (!(weight > 0 && weight <= 1)) {
        throw new UsageError(`${place}: a weight is a fraction above 0 and at most 1, not ${value}`, {
          next: "0.1 is a tenth of the requests",
        });
      }
      return { to: target, weight: cutOff(Number((weight * 100).toPrecision(12))) };
    });
}

function condition({ place, kind, value }: Selector, remarks: string[]): Condition {
  if (kind === "user") {
    remarks.push(
      `${place}: the cookie user is ${value} and nothing else; Amalgam8 0.x took whatever contains user=${value}, too`,
    );
    return { cookie: "user", exact: value };
  }
  const [, header = "", pattern = ""] = /^([^:]*):(.*)$/s.exec(value) ?? [];
  if (header.trim() === "" || pattern === "") {
    throw new UsageError(`${place}: a header is NAME:PATTERN`, { next: 'write it like v2(header="Foo:bar")' });
  }
  const comparison = comparisonOf(pattern.trim());
  if (comparison === undefined) {
    throw new UsageError(`${place}: Keyway compares texts and knows no regular expressions such as ${pattern.trim()}`, {
      next: "carried over are TEXT, TEXT.*, .*TEXT, .*TEXT.* and .*; or write --when 'header:NAME*=TEXT'",
    });
  }
  if (comparison.exact !== undefined && !/^\^.*\$$/.test(pattern.trim())) {
    remarks.push(
      `${place}: the header is ${comparison.exact} and nothing else; Amalgam8 0.x took whatever contains it, too`,
    );
  }
  return { header: header.trim(), ...comparison };
}
