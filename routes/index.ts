/**
 * Keyway's route model as a library. It calls nothing, keeps nothing, and runs in Node and in browsers alike: read a route
 * file or a plugin configuration, compile services to the names of clusters, decide where a request goes, and say why.
 *
 * What can't be used is thrown as a ConfigurationError, whose diagnostics have a place, a message and, where the text was
 * read here, a line and a column.
 */

export { type Compiled, compileRoutes } from "./compiling/compile.ts";
export { type NamedService, namedServices } from "./compiling/named-services.ts";
export { type Found, MODES, type Mode, type Surroundings, type Use } from "./compiling/resolve.ts";
export { type Decision, decide, type Outcome } from "./deciding/decide.ts";
export { type Explanation, explain } from "./deciding/explain.ts";
export type { DecisionInput } from "./deciding/input.ts";
export type { Pairs } from "./deciding/scan.ts";
export { isKey } from "./model/key.ts";
export { isRouteId, type LiveRoute, type StoredRoute } from "./model/live-route.ts";
export type {
  Condition,
  Configuration,
  HopMark,
  KeyRoute,
  Missing,
  Reference,
  RequestPart,
  Route,
  Share,
  SplitRoute,
  WhenRoute,
} from "./model/model.ts";
export {
  type Host,
  type HostName,
  parseHostName,
  parseServiceName,
  type Service,
  type ServiceName,
  type ServicePort,
  type UnresolvedPort,
} from "./model/service.ts";
export { parseSource, type Source } from "./model/sources.ts";
export { isConfiguration, parseConfiguration, pluginJsonSchema } from "./reading/configuration.ts";
export { ConfigurationError, type Diagnostic, formatDiagnostic, type Path } from "./reading/diagnostic.ts";
export { parseRouteFile, type RouteFile, routeFileJsonSchema } from "./reading/route-file.ts";
export { readYaml } from "./reading/yaml.ts";
