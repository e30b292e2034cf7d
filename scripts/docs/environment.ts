// All environment variables that Keyway heeds.
import { CONFIG_VARIABLE, flagOf, SETTINGS, settingNames, variableOf } from "../../server/settings.ts";
import { code, page, table } from "./markdown.ts";

type Variables = Record<string, string>;

export const COMMAND: Variables = {
  KEYWAY_REGISTRY_HOST:
    "The registry, HOST or HOST:PORT, that the three below are for; unless set, the one that the command line names.",
  KEYWAY_REGISTRY_USERNAME: "User at the registry; with KEYWAY_REGISTRY_PASSWORD.",
  KEYWAY_REGISTRY_PASSWORD: "Password at the registry.",
  KEYWAY_REGISTRY_TOKEN: "Bearer token for the registry, in place of user and password.",
  DOCKER_CONFIG:
    "The folder of Docker's config.json, from which logins and credential helpers are taken; unless set, ~/.docker.",
  KEYWAY_SERVER: "The route server that `keyway route` works with; unless set, http://127.0.0.1:8700.",
  KEYWAY_TOKEN: "Token for the route server.",
  KEYWAY_TOKEN_FILE: "File with the token for the route server, where KEYWAY_TOKEN is not set.",
  KUBECONFIG: "Kubeconfig files, as kubectl takes them; unless set, ~/.kube/config.",
  HTTPS_PROXY: "Proxy for registries and API servers; likewise HTTP_PROXY, NO_PROXY and the same in lower case.",
  SOURCE_DATE_EPOCH:
    "Seconds since 1970 that `keyway render istio` takes as the version, so that the same input gives the same output.",
  NO_COLOR: "When it is set, nothing is coloured.",
  KEYWAY_DEBUG: "When it is set, an error shows where in the code it arose.",
};

/** Those of `keyway serve`: its settings. */
export const SERVE: Variables = {
  ...Object.fromEntries(
    settingNames.map((name) => [variableOf(name), `As ${code(flagOf(name))}: ${SETTINGS[name].description}.`]),
  ),
  [CONFIG_VARIABLE]: "As `--config`: the file of settings.",
};

export const DEVELOPMENT: Variables = {
  KEYWAY_ENVOY:
    "Path of the Envoy, 1.34 or newer, that `npm start`, tests and benchmarks run in place of the downloaded one.",
  KEYWAY_ENVOY_VERSION: "Version of the Envoy that is downloaded.",
  XDG_CACHE_HOME: "Where downloaded and built parts are kept, in its folder keyway; unless set, ~/.cache.",
  DOCKER_HOST:
    "The Docker engine that the tier `container` uses; unless set, the machine's own, or one that it starts.",
  CI: "When it is `true`, a skipped test counts as failed.",
  UPDATE_GOLDEN: "When it is set, tests write the golden outputs and the references anew instead of comparing them.",
  PROPERTY_SEED: "Seed of the random cases that tests try; unless set, the same one in every run.",
  PROPERTY_TIMES: "How many times as many random cases tests try; unless set, 1.",
};

export const MODULE: Variables = {
  KEYWAY_VERSION:
    "Set by `keyway install` in the plugin's VM, in seconds since 1970; `keyway status` and `check` read it back from the proxies.",
};

export function environmentReference(): string {
  const rows = (variables: Variables) =>
    table(
      ["variable", "meaning"],
      Object.entries(variables).map(([name, meaning]) => [code(name), meaning]),
    );
  return page(
    "Environment variables",
    "## The command",
    rows(COMMAND),
    "## The route server",
    "Flags win over these variables, and these over the file of settings.",
    rows(SERVE),
    "## The module",
    rows(MODULE),
    "## Tests, benchmarks and `npm start`",
    rows(DEVELOPMENT),
  );
}
