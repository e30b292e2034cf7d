// What the tests of compiled routes are about: some services, and one line of a route file.
import { compileRoutes } from "../../routes/compiling/compile.ts";
import type { Mode } from "../../routes/compiling/resolve.ts";
import type { Route } from "../../routes/model/model.ts";
import type { Service } from "../../routes/model/service.ts";
import { ConfigurationError, formatDiagnostic } from "../../routes/reading/diagnostic.ts";
import { parseRouteFile } from "../../routes/reading/route-file.ts";

export const services: Service[] = [
  {
    name: "reviews",
    namespace: "demo",
    ports: [{ port: 9080, name: "http", targetPort: 8080 }],
    subsets: ["v1", "v2"],
  },
  { name: "reviews-pr-42", namespace: "demo", ports: [{ port: 9080, name: "http" }] },
  { name: "reviews-pr-7", namespace: "demo", ports: [{ port: 80, name: "http" }] },
  {
    name: "ratings",
    namespace: "shop",
    ports: [
      { port: 9080, name: "http" },
      { port: 9090, name: "grpc" },
    ],
  },
  { name: "ratings-pr-42", namespace: "shop", ports: [{ port: 9080 }, { port: 9090 }] },
];

export const compile = (line: string, mode: Mode = "outbound") => {
  const file = parseRouteFile(`routes:\n  - ${line}\n`);
  return compileRoutes(file, { mode, namespace: "demo", domain: "cluster.local", services });
};
export const routed = (line: string, mode?: Mode): Route | undefined => compile(line, mode).configuration.routes[0];
export const diagnostics = (line: string, mode?: Mode) => {
  try {
    compile(line, mode);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.diagnostics.map((one) => `${one.at?.line}:${one.at?.col}: ${formatDiagnostic(one)}`);
  }
};

export const REVIEWS = "outbound|9080||reviews.demo.svc.cluster.local";
export const SANDBOX = "outbound|9080||reviews-pr-42.demo.svc.cluster.local";
