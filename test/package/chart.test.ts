// The Helm chart, as Helm itself renders it, makes what `keyway server install` applies.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { definitionObjects, serverObjects } from "../../installer/manifests/server/objects.ts";
import { CHOICE_ANNOTATION, type ServerChoice } from "../../installer/manifests/server/server.ts";
import { helm } from "../../scripts/parts/helm.ts";
import { ROOT } from "../../shared/package.ts";

const CHART = join(ROOT, "charts", "keyway");
const IMAGE = "registry.example/keyway:0.1.0";

let program: string;
let home: string;
beforeAll(async () => {
  program = await helm();
  home = mkdtempSync(join(tmpdir(), "keyway-helm-"));
}, 600_000);
afterAll(() => rmSync(home, { recursive: true }));

function runHelm(...args: string[]): string {
  const env = { ...process.env, HOME: home, KUBECONFIG: "" };
  return execFileSync(program, args, { encoding: "utf8", env, stdio: ["ignore", "pipe", "pipe"] });
}

interface Manifest {
  kind: string;
  metadata: { name: string; labels: Record<string, string>; annotations?: Record<string, string> };
}

function rendered(...args: string[]): Manifest[] {
  const text = runHelm("template", "shop", CHART, "--namespace", "previews", ...args);
  return parseAllDocuments(text).flatMap((one) => one.toJS() ?? []);
}

/** What the command would apply, as Helm labels it. */
function applied(choice: Partial<ServerChoice> = {}): Manifest[] {
  const all = {
    namespace: "previews",
    image: IMAGE,
    replicas: 2,
    anonymous: ["proxy" as const],
    arguments: [],
    ...choice,
  };
  const objects = [...definitionObjects(), ...serverObjects(all)];
  const asHelm = JSON.stringify(objects, (key, value) => (key === CHOICE_ANNOTATION ? undefined : value));
  const text = asHelm.replaceAll('"annotations":{}', '"none":0').replaceAll(',"none":0', "");
  return JSON.parse(text, (key, value) => (key === "app.kubernetes.io/managed-by" ? "Helm" : value));
}

const sorted = (objects: Manifest[]) =>
  objects
    .map((one) => ({ ...one, metadata: { ...one.metadata, labels: managed(one) } }))
    .sort((a, b) => `${a.kind} ${a.metadata.name}`.localeCompare(`${b.kind} ${b.metadata.name}`));

/** The custom resources are the same whoever brings them. */
const managed = ({ metadata }: Manifest) => ({ ...metadata.labels, "app.kubernetes.io/managed-by": "Helm" });

test("with nothing but an image it is what the command applies", () => {
  expect(sorted(rendered("--set", `image=${IMAGE}`))).toEqual(sorted(applied()));
});

test("its values are the command's choices", () => {
  const values = ["replicas=3", "anonymous={read,proxy}", "imagePullSecret=pull", "settings.logLevel=debug"];
  const settings = [
    "settings.signadotGrpc=0.0.0.0:7777",
    "settings.amalgam8=0.0.0.0:7779",
    "settings.overrides=demo\\, shop",
  ];
  const sets = [...values, ...settings].flatMap((one) => ["--set", one]);
  const flags = [
    "--amalgam8=0.0.0.0:7779",
    "--log-level=debug",
    "--overrides=demo, shop",
    "--signadot-grpc=0.0.0.0:7777",
  ];
  const choice: Partial<ServerChoice> = {
    replicas: 3,
    anonymous: ["read", "proxy"],
    imagePullSecret: "pull",
    arguments: flags,
  };
  const here = sorted(rendered("--set", `image=${IMAGE}`, ...sets));
  expect(here).toEqual(sorted(applied(choice)));
  for (const what of ["grpc-signadot", "http-amalgam8", "keyway-amalgam8"])
    expect(JSON.stringify(here)).toContain(what);
});

test("a number in a file is written as it stands there", () => {
  const file = join(home, "values.yaml");
  writeFileSync(file, `image: ${IMAGE}\nsettings: {maxRoutes: 2000000, settle: 0, controller: false}\n`);
  const flags = ["--controller=false", "--max-routes=2000000", "--settle=0"];
  expect(sorted(rendered("-f", file))).toEqual(sorted(applied({ arguments: flags })));
});

test.each([
  ["settings.logLevl=debug", /logLevl/],
  ["settings.logLevel=loud", /logLevel/],
  ["settings.listen=0.0.0.0:1", /listen/],
  ["settings.overrides={demo,shop}", /overrides/],
  ["replica=3", /replica/],
  ["replicas=0", /replicas/],
  ["anonymous={admin}", /anonymous/],
])("%s is refused, with the place", (value, place) => {
  expect(() => rendered("--set", `image=${IMAGE}`, "--set", value)).toThrow(place);
});

test.each(["maxConnections=1.5", "maxConnections=1000001", "maxBody=2000.5"])("the number %s is refused", (setting) => {
  const name = setting.replace(/=.*/, "");
  expect(() => rendered("--set", `image=${IMAGE}`, "--set-json", `settings.${setting}`)).toThrow(name);
});

test("it can leave the custom resources to another release", () => {
  const kinds = rendered("--set", `image=${IMAGE}`, "--set", "definitions=false").map(({ kind }) => kind);
  expect(kinds).not.toContain("CustomResourceDefinition");
  expect(kinds).toContain("Deployment");
});

test("without an image it says what is missing", () => {
  expect(() => rendered()).toThrow(/image: the image that the Dockerfile builds/);
});

test("Helm finds nothing to complain of", () => {
  expect(runHelm("lint", CHART, "--set", `image=${IMAGE}`, "--strict")).toMatch(
    /1 chart\(s\) linted, 0 chart\(s\) failed/,
  );
});
