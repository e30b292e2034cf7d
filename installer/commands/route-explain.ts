import { InvalidArgumentError, Option } from "commander";
import { MODES, type Mode } from "../../routes/compiling/resolve.ts";
import type { Pairs } from "../../routes/deciding/scan.ts";
import { parseDate } from "../../routes/model/date.ts";
import { KeywayError, UsageError } from "../../shared/errors.ts";
import type { Io } from "../../shared/io.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { parseName, parseSeconds } from "../cli/flags.ts";
import { emit, type Format, outputOption } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { collectHeader, parseRequestLine } from "../cli/request.ts";
import { askProxy, type LiveExplanation } from "../explain/live.ts";
import { explainOffline } from "../explain/offline.ts";

interface Options {
  routes?: string;
  live?: URL[];
  header?: Pairs;
  from?: string;
  mode: Mode;
  namespace: string;
  missing?: string[];
  at?: number;
  caller?: string;
  timeout: number;
  output: Format;
}

/** What only a decision that is made here can take into account. */
const OFFLINE = ["routes", "from", "mode", "namespace", "missing", "at", "caller"];

export const routeExplain: Register = (group, io) => {
  defineCommand(group, {
    usage: "explain [request]",
    description:
      "Says where a request goes, and why. With -f the filter's decision is made here, from a route file or a plugin " +
      "configuration, and printed in the words in which a proxy answers `x-keyway-explain: 1`; whether a target lives is " +
      "for --missing to say. With --live a real proxy is asked: the request is sent to it with that header, and its " +
      "answer printed. A proxy explains its own decision alone, and only where its configuration says `explain: true`; " +
      "without that the request goes on to a service like any other. Give --live again for the proxies on the request's " +
      "further way; each gets the same request, one after the other.",
    examples: [
      ["by a header", 'keyway route explain -f routes.yaml -H "x-routing-key: pr-42" /reviews/1'],
      [
        "by a host, to one of several baselines",
        "keyway route explain -f routes.yaml --from reviews https://pr-42.preview.example.com/",
      ],
      [
        "will it still go there next month?",
        'keyway route explain -f routes.yaml --at 2030-01-31T12:00:00Z -H "cookie: user=alice" "POST /cart"',
      ],
      [
        "what an installed plugin would do",
        "kubectl get wasmplugin keyway -o jsonpath={.spec.pluginConfig} | keyway route explain -f - /",
      ],
      [
        "what a proxy does",
        'keyway route explain --live http://localhost:8080 -H "x-routing-key: pr-42" "GET /reviews/1"',
      ],
    ],
  })
    .option("-f, --routes <file>", "route file, or a plugin configuration; - reads stdin")
    .addOption(
      new Option("--live <url>", "ask the proxy that listens there; can be repeated")
        .argParser((text, before: URL[] = []) => [...before, parseUrl(text)])
        .conflicts(OFFLINE),
    )
    .option("-H, --header <name: value>", "a header of the request; can be repeated", collectHeader)
    .option("--from <baseline>", "where the request would go without Keyway (default: the only baseline there is)")
    .addOption(
      new Option("--mode <mode>", "whose names to use for the services of a route file")
        .choices(MODES)
        .default("plain"),
    )
    .option("-n, --namespace <name>", "namespace of services that are named without one", parseName, "default")
    .option(
      "--missing <cluster>",
      "a target without a healthy host; can be repeated",
      (name, before: string[] = []) => [...before, name],
    )
    .option("--at <date>", "decide as at this time (default: now)", parseTime)
    .option("--caller <spiffe-id>", "the caller's identity as mutual TLS would prove it (default: none)", parseCaller)
    .option("--timeout <seconds>", "how long each proxy of --live may take to answer", parseSeconds, 10)
    .addOption(outputOption())
    .action(async (line: string | undefined, options: Options) => {
      const given = options.header ?? [];
      const own = requestLine(line, options).filter(([name]) => !given.some(([other]) => other === name));
      const headers = [...own, ...given];
      if (options.live) return explainLive(options.live, headers, options, io);
      const { routes, output } = options;
      if (routes === undefined) {
        throw new UsageError("by which routes?", { next: "add -f FILE, or --live URL to ask a proxy" });
      }
      const explanation = await explainOffline({ ...options, routes, headers }, io);
      emit(io, output, explanation, () => lines(explanation));
    });
};

/** One proxy gives one explanation, several a list; what those say who answer is printed, whatever becomes of the others. */
async function explainLive(urls: URL[], headers: Pairs, { timeout, output }: Options, io: Io): Promise<void> {
  const answers: LiveExplanation[] = [];
  const failures: KeywayError[] = [];
  const { update, done } = progress(io);
  for (const url of urls) {
    update(`asking ${url.origin}`);
    try {
      const explanation = await askProxy({ url, headers, timeout, signal: io.signal });
      answers.push(urls.length === 1 ? explanation : { proxy: url.origin, ...explanation });
      done(`${url.origin} has explained its decision`);
    } catch (thrown) {
      if (!(thrown instanceof KeywayError)) throw thrown;
      failures.push(thrown);
    }
  }
  if (answers.length > 0) {
    emit(io, output, urls.length === 1 ? answers[0] : answers, () => answers.map(lines).join("\n"));
  }
  const [first] = failures;
  if (!first) return;
  throw new KeywayError(failures.map(({ message }) => message).join("\n  "), { next: first.next ?? "", cause: first });
}

function lines(explanation: object): string {
  const entries = Object.entries(explanation).map(([name, value]) => `${name.padEnd(8)} ${value ?? "-"}\n`);
  return entries.join("");
}

/** Without a request a proxy is asked for the path of its own URL. */
function requestLine(text: string | undefined, { live }: Options): Pairs {
  if (text === undefined) {
    if (live) return [];
    throw new UsageError("which request?", { next: 'write it like /path, "POST /path" or https://host/path' });
  }
  const headers = parseRequestLine(text);
  if (headers) return headers;
  throw new UsageError(`"${text}" is no request`, { next: 'write it like /path, "POST /path" or https://host/path' });
}

function parseTime(text: string): number {
  const time = parseDate(text);
  if (time === undefined) throw new InvalidArgumentError("expected a date like 2030-01-31T12:00:00Z.");
  return time;
}

function parseCaller(text: string): string {
  if (!/^spiffe:\/\/\S+$/.test(text)) throw new InvalidArgumentError("expected spiffe://TRUST-DOMAIN/PATH.");
  return text;
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new InvalidArgumentError("expected http://HOST:PORT or https://HOST:PORT.");
  }
  // Not an InvalidArgumentError, whose text would repeat the URL with its password.
  if (url.username || url.password) throw new UsageError("--live takes no credentials in its URL; give them with -H");
  return url;
}
