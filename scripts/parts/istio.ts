// Istio's control plane and agent, built from its Go modules, with the manifests that come in the same modules.
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "./cache.ts";
import { goBuild, goSources } from "./go.ts";

export const ISTIO_VERSION = "1.29.1";

export type Istio = {
  discovery: string;
  agent: string;
  /** YAML files of custom resource definitions: Istio's own, and the Gateway API's that it reads. */
  definitions: string[];
  bootstrapTemplate: string;
};

export async function istio(): Promise<Istio> {
  const doing = `building istiod and pilot-agent ${ISTIO_VERSION} from Go modules (7 minutes of processor time, once)`;
  const directory = await cached({ name: "istio", version: ISTIO_VERSION, doing, make: build });
  const inside = (name: string) => join(directory, name);
  return {
    discovery: inside("pilot-discovery"),
    agent: inside("pilot-agent"),
    definitions: [inside("istio-definitions.yaml"), inside("gateway-definitions.yaml")],
    bootstrapTemplate: inside("envoy_bootstrap.json"),
  };
}

async function build(directory: string): Promise<void> {
  const [sources, gateways] = await Promise.all([
    goSources("istio", "istio.io/istio"),
    goSources("istio", "sigs.k8s.io/gateway-api"),
  ]);
  const keep = (from: string, to: string) => copyFile(join(sources, from), join(directory, to));
  await keep("manifests/charts/base/files/crd-all.gen.yaml", "istio-definitions.yaml");
  await keep("tools/packaging/common/envoy_bootstrap.json", "envoy_bootstrap.json");
  const standard = join(gateways, "config/crd/standard");
  const files = (await readdir(standard)).map((name) => readFile(join(standard, name), "utf8"));
  await writeFile(join(directory, "gateway-definitions.yaml"), (await Promise.all(files)).join("\n---\n"));
  await goBuild(
    {
      module: "istio",
      packages: ["istio.io/istio/pilot/cmd/pilot-discovery", "istio.io/istio/pilot/cmd/pilot-agent"],
      variables: { "istio.io/istio/pkg/version.buildVersion": ISTIO_VERSION },
    },
    directory,
  );
}
