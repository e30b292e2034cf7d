// What previews cost, and how soon they are in force: a table goes to stdout, the figures to bench/previews.json. Needs root, as the mesh test bed does.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildModule } from "../installer/module/build.ts";
import { buildCommand } from "../scripts/build/command.ts";
import type { Mesh } from "../test/mesh/bed/mesh.ts";
import { startMesh } from "../test/mesh/bed/start.ts";
import { project } from "./lib/compile.ts";
import { type Machine, machine } from "./lib/machine.ts";
import { type ControllerCost, controllerCost } from "./previews/controller.ts";
import { type InForce, inForce } from "./previews/in-force.ts";
import { type Signadot, signadot } from "./previews/signadot.ts";
import { table } from "./report.ts";

interface Results {
  date: string;
  machine: Machine;
  inForce: InForce;
  controller: ControllerCost[];
  signadot: Signadot;
}

type Row = [what: string, value: string, aim: string];

const MEBIBYTE = 2 ** 20;
const FILE = join(project, "bench", "previews.json");
const { values } = parseArgs({ options: { quick: { type: "boolean" }, only: { type: "string" } } });
const quick = values.quick === true;

const parts = {
  inForce: () => onMesh((mesh) => inForce(mesh, quick ? 20 : 200)),
  controller: async () => {
    const all: ControllerCost[] = [];
    for (const count of quick ? [10, 100] : [10, 1000]) all.push(await onMesh((mesh) => controllerCost(mesh, count)));
    return all;
  },
  signadot: () => signadot(quick ? 50 : 1000, quick ? 10_000 : 100_000),
};
const names = (values.only?.split(",") ?? Object.keys(parts)) as (keyof typeof parts)[];
for (const name of names) {
  if (name in parts) continue;
  console.error(`keyway: bench: --only ${name}: no such part; there are ${Object.keys(parts).join(", ")}`);
  process.exit(2);
}
await buildModule();
await buildCommand();
const measured: Partial<Results> = { date: new Date().toISOString().slice(0, 10), machine: await machine() };
for (const name of names) Object.assign(measured, { [name]: await parts[name]() });
console.log(shown(measured));
if (!quick) {
  const before = existsSync(FILE) ? JSON.parse(readFileSync(FILE, "utf8")) : {};
  writeFileSync(FILE, `${JSON.stringify({ ...before, ...measured }, null, 2)}\n`);
}
process.exit(0);

async function onMesh<T>(work: (mesh: Mesh) => Promise<T>): Promise<T> {
  const { mesh, stop } = await startMesh();
  try {
    return await work(mesh);
  } finally {
    await stop();
  }
}

function shown({ inForce: force, controller = [], signadot: sdk }: Partial<Results>): string {
  const rows: Row[] = [];
  if (force) {
    const { sandboxes, statusP50, statusP99, requestP50, requestP99 } = force;
    const what = `of ${sandboxes} Sandboxes on a mesh, each from its application`;
    rows.push([`${what} until its status says in force: p50, p99`, `${statusP50} ms, ${statusP99} ms`, "300 ms"]);
    rows.push([`${what} until a request arrives there: p50, p99`, `${requestP50} ms, ${requestP99} ms`, "300 ms"]);
  }
  for (const { sandboxes, created, resident, change } of controller) {
    const what = `${sandboxes.toLocaleString("en")} Sandboxes of three routes`;
    rows.push([`${what}: all applied, 20 at one time`, `${(created / 1000).toFixed(1)} s`, ""]);
    rows.push([`${what}: resident memory of the server`, `${(resident / MEBIBYTE).toFixed(0)} MiB`, "250 MB"]);
    rows.push([`${what}: CPU time of a change with its status`, `${change} us`, "as with 10"]);
  }
  if (sdk) {
    rows.push([`a change to GetTarget of Signadot's Go SDK: p50, p99`, `${sdk.p50} ms, ${sdk.p99} ms`, "100 ms"]);
    const what = `${sdk.rules.toLocaleString("en")} rules to Signadot's Go SDK`;
    rows.push([
      `${what}: complete after; the server's memory`,
      `${(sdk.sync / 1000).toFixed(1)} s; ${(sdk.resident / MEBIBYTE).toFixed(0)} MiB`,
      "",
    ]);
  }
  return table(["Previews", "measured", "at most"], rows);
}
