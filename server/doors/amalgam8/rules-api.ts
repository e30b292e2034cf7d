// Amalgam8's rules: /v1/rules.
import { ApiError } from "../../api/errors.ts";
import { Unfit } from "../../store/store.ts";
import { answer, type Call, type Endpoint } from "./call.ts";
import { A8Error } from "./errors.ts";
import { invalidRule, type Rule, readRules } from "./rule.ts";
import type { Rulebook, StoredRule } from "./rulebook.ts";
import type { Told, Translation } from "./translate.ts";

type Kind = "route" | "actions";

interface Filter {
  ids?: readonly string[];
  tags?: readonly string[];
  destinations?: readonly string[];
  kind?: Kind;
}

export interface RulesParts {
  rulebook: Rulebook;
  translate: (namespace: string, rules: readonly StoredRule[]) => Translation;
  /** Resolves once the routes are what the rules say. */
  written: () => Promise<void>;
}

export function rulesEndpoints(parts: RulesParts): Endpoint[] {
  const { rulebook } = parts;
  const find = (namespace: string, filter: Filter) => {
    const { rules, revision } = rulebook.of(namespace);
    const unknown = filter.ids?.find((id) => !rules.some(({ rule }) => rule.id === id));
    if (unknown !== undefined) throw notFound(unknown);
    return { rules: rules.filter(({ rule }) => fits(rule, filter)).map(({ rule }) => toBody(rule)), revision };
  };

  const add = async ({ sender, body }: Call) => {
    const rules = await someRules(body);
    const change = (there: readonly StoredRule[]) => merged(there, rules);
    const findings = await put(parts, sender.namespace, rules, change);
    return answer(201, { ids: rules.map(({ id }) => id), ...findings });
  };

  const update = async ({ sender, body }: Call) => {
    const rules = await someRules(body);
    const change = (there: readonly StoredRule[]) => {
      const unknown = rules.find(({ id }) => !there.some(({ rule }) => rule.id === id));
      if (unknown) throw notFound(unknown.id);
      return merged(there, rules);
    };
    const findings = await put(parts, sender.namespace, rules, change);
    return answer(200, findings && { ids: rules.map(({ id }) => id), ...findings });
  };

  /** 0.x alone has it, and its `a8ctl route-set` with it. */
  const replace =
    (kind: Kind) =>
    async ({ sender, name, body }: Call) => {
      const rules = readRules(await body());
      const elsewhere = rules.flatMap(({ destination }, at) => {
        return destination === name
          ? []
          : [{ path: ["rules", at, "destination"], message: `expected ${name}, as in the path` }];
      });
      if (elsewhere.length > 0) throw invalidRule(elsewhere);
      const isReplaced = ({ rule }: StoredRule) => fits(rule, { destinations: [name], kind });
      const change = (there: readonly StoredRule[]) => {
        const left = there.filter((one) => !isReplaced(one));
        return merged(left, rules, { isOld: true });
      };
      const findings = await put(parts, sender.namespace, rules, change);
      return answer(201, { ids: rules.map(({ id }) => id), ...findings });
    };

  const remove = async ({ sender }: Call, filter: Filter) => {
    await rulebook.change(sender.namespace, (there) => there.filter(({ rule }) => !fits(rule, filter)));
    await parts.written();
    return answer(200);
  };

  const byService = ({ sender, query }: Call, kind: Kind) => {
    const { rules } = find(sender.namespace, { ...filterOf(query), kind });
    return answer(200, { services: Object.fromEntries(Map.groupBy(rules, ({ destination }) => destination)) });
  };

  const ofKind = (word: string, kind: Kind): Endpoint[] => {
    const filter = ({ name }: Call) => ({ destinations: [name], kind });
    return [
      { method: "GET", path: `/v1/rules/${word}`, role: "read", handle: (call) => byService(call, kind) },
      {
        method: "GET",
        path: `/v1/rules/${word}/:name`,
        role: "read",
        handle: (call) => answer(200, find(call.sender.namespace, filter(call))),
      },
      { method: "PUT", path: `/v1/rules/${word}/:name`, role: "write", handle: replace(kind) },
      {
        method: "DELETE",
        path: `/v1/rules/${word}/:name`,
        role: "write",
        handle: (call) => remove(call, filter(call)),
      },
    ];
  };

  return [
    { method: "POST", path: "/v1/rules", role: "write", handle: add },
    {
      method: "GET",
      path: "/v1/rules",
      role: "read",
      handle: ({ sender, query }) => answer(200, find(sender.namespace, filterOf(query))),
    },
    { method: "PUT", path: "/v1/rules", role: "write", handle: update },
    { method: "DELETE", path: "/v1/rules", role: "write", handle: (call) => remove(call, filterOf(call.query)) },
    ...ofKind("routes", "route"),
    ...ofKind("actions", "actions"),
  ];
}

async function someRules(body: Call["body"]): Promise<Rule[]> {
  const rules = readRules(await body());
  if (rules.length === 0) throw new A8Error(400, "error_no_rules_provided", "No rules provided");
  return rules;
}

/** Rules with new ones in the place of those with their ids, or behind all. */
function merged(
  there: readonly StoredRule[],
  rules: readonly Rule[],
  more: Pick<StoredRule, "isOld"> = {},
): StoredRule[] {
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  const kept = there.map((one) => {
    const rule = byId.get(one.rule.id);
    byId.delete(one.rule.id);
    return rule ? { ...one, ...more, rule } : one;
  });
  return [...kept, ...[...byId.values()].map((rule) => ({ rule, ...more }))];
}

/** Changes the rules, unless one of the new ones can't be carried over; what there is to say of them. */
async function put(
  { rulebook, translate, written }: RulesParts,
  namespace: string,
  rules: readonly Rule[],
  change: (there: readonly StoredRule[]) => StoredRule[],
): Promise<{ findings: object[] } | undefined> {
  const places = new Map(rules.map(({ id }, at) => [id, at]));
  const isOwn = ({ rule }: Told) => places.has(rule.rule.id);
  const placeOf = ({ rule: { rule }, place }: Told) => {
    const where = `rules[${places.get(rule.id)}]`;
    return place === "" ? where : `${where}.${place}`;
  };
  const destinations = new Set(rules.map(({ destination }) => destination));
  let findings: Told[] = [];
  let before: readonly StoredRule[] = [];
  await rulebook.change(namespace, (there) => {
    before = there;
    const next = change(there);
    const translation = translate(
      namespace,
      next.filter(({ rule }) => destinations.has(rule.destination)),
    );
    const refused = translation.refusals.filter(isOwn);
    if (refused.length > 0) {
      throw invalidRule(refused.map((one) => ({ path: [placeOf(one)], message: one.message })));
    }
    findings = translation.findings.filter(isOwn);
    return next;
  });
  try {
    await written();
  } catch (thrown) {
    // What the table will never take is not kept as rules, either.
    if (!(thrown instanceof ApiError || thrown instanceof Unfit)) throw thrown;
    await rulebook.change(namespace, () => [...before]);
    await written();
    throw new A8Error(400, "error_invalid_rule", `Invalid rule provided: ${thrown.message}`);
  }
  if (findings.length === 0) return undefined;
  return { findings: findings.map((one) => ({ place: placeOf(one), what: one.what, message: one.message })) };
}

function notFound(id: string): A8Error {
  return new A8Error(404, "error_rule_not_found", `there is no rule with the id ${id}`);
}

function filterOf(query: URLSearchParams): Filter {
  const of = (name: string) => (query.has(name) ? query.getAll(name) : undefined);
  const unknown = [...query.keys()].find((name) => !["id", "tag", "destination"].includes(name));
  // Whoever misspells what is to be deleted would delete everything.
  if (unknown !== undefined) {
    throw new A8Error(400, "error_invalid_filter", `${unknown}: rules are selected by id, tag and destination`);
  }
  const [ids, tags, destinations] = [of("id"), of("tag"), of("destination")];
  return { ...(ids && { ids }), ...(tags && { tags }), ...(destinations && { destinations }) };
}

function fits(rule: Rule, { ids, tags, destinations, kind }: Filter): boolean {
  return (
    (ids === undefined || ids.includes(rule.id)) &&
    (tags === undefined || tags.every((tag) => rule.tags?.includes(tag))) &&
    (destinations === undefined || destinations.includes(rule.destination)) &&
    (kind === undefined || rule[kind] !== undefined)
  );
}

/** Clients of 0.x count on the priority being there. */
function toBody({ id, priority = 0, ...rest }: Rule): Rule {
  return { id, priority, ...rest };
}
