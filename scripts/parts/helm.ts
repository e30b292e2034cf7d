// Helm, which renders and lints the chart in the tests.
import { join } from "node:path";
import { cached } from "./cache.ts";
import { goBuild } from "./go.ts";

export const HELM_VERSION = "3.19.2";

/** Path of the program. */
export async function helm(): Promise<string> {
  const doing = `building helm ${HELM_VERSION} from Go modules (2 minutes of processor time, once)`;
  const make = (directory: string) =>
    goBuild({ module: "helm", packages: ["helm.sh/helm/v3/cmd/helm"], variables: {} }, directory);
  return join(await cached({ name: "helm", version: HELM_VERSION, doing, make }), "helm");
}
