// Routes of route files, and of what other systems' tools give out, are added to those of a server or a cluster.
import { writeFile } from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import { type Item, readItems } from "../../import/documents.ts";
import { importItems } from "../../import/import.ts";
import type { System } from "../../import/kinds.ts";
import { type Mapping, parseMapping } from "../../import/mapping.ts";
import { placeOf, type Report } from "../../import/report.ts";
import { KeywayError, reason } from "../../shared/errors.ts";
import { nameOf, readInput } from "../../shared/input.ts";
import type { Io } from "../../shared/io.ts";
import { count, emit, type Format, toJson, toYaml } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import type { ChangeFlags, WaitFlag } from "../cli/table-flags.ts";
import { changesOf, printFindings } from "../print/findings.ts";
import { fileEntries, routeFileYaml, routeTable } from "../print/routes.ts";
import { labelsOf } from "../route-words/wanted.ts";
import { present, type ReadFile, readRouteFile, stamped } from "./apply-file.ts";
import { change } from "./change.ts";
import { type PlannedRoute, planSet } from "./plan.ts";
import { type RouteTable, type WantedRoute, withExpiry } from "./table.ts";

export interface ImportFlags extends ChangeFlags, WaitFlag {
  /** Found out for each document unless said. */
  from?: System;
  /** Sources of keys. */
  keys?: string[];
  map?: string[];
  strict?: boolean;
  /** Where Kubernetes objects that the routes need are written; `-` is standard output. */
  manifests?: string;
  replace?: boolean;
  owner?: string;
  label?: string[];
  ttl?: string;
  output: Format;
}

interface Where {
  /** Called once there is something to ask it. */
  open: () => Promise<RouteTable>;
  /** Whether the person said which table is meant. */
  isNamed: boolean;
}

export async function importFiles(io: Io, paths: readonly string[], where: Where, flags: ImportFlags): Promise<void> {
  const mappings = (flags.map ?? []).map((typed) => parseMapping(typed));
  const { wanted, told, report } = await readAll(io, paths, flags, mappings);
  printFindings(io, report);
  const lost = changesOf(report.findings, ["widened", "dropped"]);
  if (flags.strict && lost !== undefined) {
    throw new KeywayError(`not all can be carried over as it is: ${lost}`, {
      next: "nothing was changed; see the lines above, change what they name, or leave --strict out",
    });
  }
  await writeObjects(io, report, flags);
  if (wanted.length === 0 && report.objects.length > 0) return;
  const isPrinted = flags.dryRun && !flags.diff && flags.output !== "table";
  if (isPrinted) {
    const entries = fileEntries(wanted.map(withExpiry));
    const { keys } = report;
    const file = { ...(keys.length > 0 && { keys }), routes: entries };
    io.out.write(flags.output === "json" ? toJson(file) : routeFileYaml(entries, keys));
    return progress(io).done(`${count(wanted.length, "route", "routes")} (dry run)`);
  }
  await put(io, wanted, where, { ...flags, ...told });
}

async function put(
  io: Io,
  wanted: readonly WantedRoute[],
  { open, isNamed }: Where,
  options: ImportFlags & ReadFile["told"],
): Promise<void> {
  const table = await open();
  const there = await present(table, wanted, io).catch((thrown: unknown) => {
    if (isNamed || !options.dryRun || options.diff) throw thrown;
    progress(io).warn(`${reason(thrown)}; what would become of the routes there is not known`);
    return undefined;
  });
  if (there === undefined) {
    emit(io, options.output, {}, () => routeTable(io, wanted.map(withExpiry)));
    return progress(io).done(`${count(wanted.length, "route", "routes")} (dry run)`);
  }
  const plan = planSet(wanted, there);
  if (!options.replace) refuseDiffering(plan, table, options);
  await change(io, table, plan, options);
}

function refuseDiffering(plan: readonly PlannedRoute[], table: RouteTable, { placeOf }: ReadFile["told"]): void {
  const differing = plan.filter(({ outcome }) => outcome === "changed");
  if (differing.length === 0) return;
  const lines = differing.slice(0, 10).map(({ id }) => `${placeOf(id, "")}: ${id}`);
  const more = differing.length > lines.length ? `\n  and ${differing.length - lines.length} more` : "";
  throw new KeywayError(
    `${count(differing.length, "route is there already and differs", "routes are there already and differ")}\n  ${lines.join("\n  ")}${more}`,
    { where: table.name, next: "nothing was changed; look with --diff --replace, then import with --replace" },
  );
}

/** Objects of an input that are read before others have their turn. */
const ITEMS_A_TURN = 200;

interface ReadAll {
  wanted: WantedRoute[];
  told: ReadFile["told"];
  report: Report;
}

async function readAll(
  io: Io,
  paths: readonly string[],
  flags: ImportFlags,
  mappings: readonly Mapping[],
): Promise<ReadAll> {
  const { owner, label = [], from, keys = [], ttl } = flags;
  const own: ReadFile[] = [];
  const items: Item[] = [];
  for (const file of paths) {
    const text = await readInput(file, io);
    if (isRouteFile(text, from)) own.push(readRouteFile(io, file, text, flags));
    else {
      for (const item of readItems(file, text)) {
        if (items.push(item) % ITEMS_A_TURN !== 0) continue;
        progress(io).update(`reading ${nameOf(file)}: ${items.length} objects so far`);
        await turn();
        io.signal.throwIfAborted();
      }
    }
  }
  const report = importItems(items, { keys, mappings, ...(from !== undefined && { from }) });
  const imported = report.routes;
  const labels = labelsOf(label);
  const places = new Map(imported.map(({ route, item, path }) => [route.id, { item, path }]));
  const all = [
    ...own.flatMap(({ wanted }) => wanted),
    ...imported.map(({ route }) => stamped({ route }, owner, labels)),
  ];
  refuseRepeated(all);
  return {
    report,
    wanted: all.map((route) => (ttl === undefined || route.ttl || route.expires ? route : { ...route, ttl })),
    told: {
      placeOf: (id, field) => {
        const place = places.get(id);
        if (place) return `${placeOf(place.item, place.path)}${field === "" ? "" : `: ${field} of the route`}`;
        return own.find(({ wanted }) => wanted.some((one) => one.id === id))?.told.placeOf(id, field) ?? id;
      },
      mend: "mend the input and run the command again; nothing was changed",
    },
  };
}

const BEFORE = "^(?:\\s|#.*\\n|---)*";
const ROUTE_FILE = new RegExp(`${BEFORE}(?:\\{\\s*)?["']?(?:routes|keys|hierarchy|explain|strict|revision)["']?\\s*:`);
const NOTHING = new RegExp(`${BEFORE}(?:\\{\\s*\\}\\s*)?$`);
const RESOURCE = new RegExp(`${BEFORE}(?:\\{\\s*)?["']?(?:apiVersion|kind|items|metadata)["']?\\s*:`);
/** Characters in which the first field of a file stands. */
const BEGIN = 10_000;

/** Whether it is a route file of Keyway, which is read with the words that its mistakes have elsewhere. */
function isRouteFile(text: string, from: System | undefined): boolean {
  const begin = text.slice(0, BEGIN);
  if (from === "keyway") return !RESOURCE.test(begin);
  return from === undefined && (ROUTE_FILE.test(begin) || NOTHING.test(begin));
}

function refuseRepeated(wanted: readonly WantedRoute[]): void {
  const seen = new Set<string>();
  for (const { id } of wanted) {
    if (seen.has(id)) {
      throw new KeywayError(`the route ${id} is in two of the files`, {
        next: "nothing was changed; import one of them",
      });
    }
    seen.add(id);
  }
}

/** Where no file is said for them they are printed for people, and told of to programs, whose output they would break. */
async function writeObjects(io: Io, { objects }: Report, { manifests, output }: ImportFlags): Promise<void> {
  if (objects.length === 0) return;
  const text = objects.map((object) => `---\n${toYaml(object)}`).join("");
  const steps = progress(io);
  const what = count(objects.length, "Kubernetes object", "Kubernetes objects");
  if (manifests !== undefined && manifests !== "-") {
    await writeFile(manifests, text).catch((cause) => {
      throw new KeywayError(`can't write ${manifests}: ${reason(cause)}`, { next: "name another file", cause });
    });
    return steps.next(`look over the ${what} in ${manifests}, then \`kubectl apply -f ${manifests}\``);
  }
  if (manifests === "-" || output === "table") io.out.write(text);
  else return steps.next(`${what} go with these routes; --manifests FILE writes them`);
  steps.next(`look over the ${what}, and apply them with kubectl`);
}
