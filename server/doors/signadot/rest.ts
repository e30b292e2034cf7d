// The rules over HTTP. Clients look at the body alone: one in JSON without rules empties what they know, so nothing but rules is JSON here.

import type { Filter, RuleTable } from "./rule-table.ts";
import type { Rule } from "./rules.ts";

const PATH = "/api/v1/workloads/routing-rules";

/** The parameters of a query, by the filter's names. */
const PARAMETERS = {
  kind: "baselineKind",
  namespace: "baselineNamespace",
  name: "baselineName",
  routingKey: "routingKey",
  sandbox: "destinationSandboxName",
} as const satisfies Record<keyof Filter, string>;

/** Rules that are written at once: others have to get their turn, too. */
const AT_ONCE = 500;

/** `table` is undefined until it is loaded. */
export function answerRest({ url, method }: Request, table: RuleTable | undefined): Response {
  const { pathname, searchParams } = new URL(url);
  if (pathname !== PATH) return refusal(404, `there is nothing here; the rules are at ${PATH}`);
  if (method !== "GET" && method !== "HEAD") {
    return refusal(405, `${method} is not possible here: rules are only read; routes are set at Keyway's own API`, {
      allow: "GET, HEAD",
    });
  }
  if (table === undefined) return refusal(503, "the rules are not loaded yet; ask again", { "retry-after": "1" });
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  return new Response(bodyOf(table, filterOf(searchParams)), { headers });
}

export function refusal(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });
}

/** An empty parameter is none. */
function filterOf(query: URLSearchParams): Filter {
  const given = Object.entries(PARAMETERS).map(([name, parameter]) => [name, query.get(parameter) || undefined]);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/** A rule that is there all the while is in it, whatever else changes before the last one has been read. */
function bodyOf(table: RuleTable, filter: Filter): string | ReadableStream<Uint8Array> {
  const first = slice(table, filter, undefined);
  if (first.length < AT_ONCE) return `{"routingRules":[${first.map(textOf).join(",")}]}`;
  const encoder = new TextEncoder();
  let [next, begin] = [first, `{"routingRules":[`];
  return new ReadableStream({
    pull(controller) {
      const rules = next;
      controller.enqueue(encoder.encode(begin + rules.map(textOf).join(",")));
      next = slice(table, filter, rules.at(-1));
      begin = ",";
      if (next.length > 0) return;
      controller.enqueue(encoder.encode("]}"));
      controller.close();
    },
  });
}

function slice(table: RuleTable, filter: Filter, after: Rule | undefined): Rule[] {
  const rules: Rule[] = [];
  for (const rule of table.rules(filter, after)) {
    rules.push(rule);
    if (rules.length === AT_ONCE) break;
  }
  return rules;
}

const textOf = (rule: Rule) => JSON.stringify(rule);
