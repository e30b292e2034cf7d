// The API server of Kubernetes, built from its Go modules.
import { join } from "node:path";
import { cached } from "./cache.ts";
import { goBuild } from "./go.ts";

const VERSION = "1.36.3";
const [major, minor] = VERSION.split(".");
const STAMP = "k8s.io/component-base/version";

/** Path of a kube-apiserver binary. */
export async function kubeApiserver(): Promise<string> {
  const doing = `building kube-apiserver ${VERSION} from Go modules (7 minutes of processor time, once)`;
  const directory = await cached({ name: "kube-apiserver", version: VERSION, doing, make: build });
  return join(directory, "kube-apiserver");
}

const build = (directory: string) =>
  goBuild(
    {
      module: "kube-apiserver",
      packages: ["k8s.io/kubernetes/cmd/kube-apiserver"],
      variables: {
        [`${STAMP}.gitVersion`]: `v${VERSION}`,
        [`${STAMP}.gitMajor`]: `${major}`,
        [`${STAMP}.gitMinor`]: `${minor}`,
      },
    },
    directory,
  );
