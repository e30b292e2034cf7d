import { giveWay } from "../../server/helper-threads.ts";
import { CONFIG_VARIABLE, flagOf, readSettings, SETTINGS, settingNames, variableOf } from "../../server/settings.ts";
import { isCapable } from "../../shared/io.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { progress } from "../cli/progress.ts";

export const serve: Register = (program, io) => {
  const command = defineCommand(program, {
    usage: "serve",
    description:
      "Runs the route server: the live route table over HTTP, for people, programs and proxies. It keeps the routes in a store " +
      "and answers a write once that is durable. /openapi.json describes what it answers. It logs JSON on stderr and ends in " +
      "order at SIGTERM and Ctrl-C; a second one ends it at once.\n\n" +
      `Each flag can be a variable, ${variableOf("maxBody")} for ${flagOf("maxBody")}, or a line in the file of --config, ` +
      "`maxBody: 64Mi`. Flags win over variables, these over the file, and the file over defaults.",
    examples: [
      ["on this machine, for you alone", "keyway serve"],
      [
        "set a route",
        `curl -X PUT localhost:8700/v1/routes/pr-42 -d '{"service": "reviews", "key": "pr-42", "to": "reviews-pr-42"}'`,
      ],
      [
        "for others, who need tokens",
        "keyway serve --listen :8700 --tokens tokens.yaml --store sqlite:/var/lib/keyway/keyway.db",
      ],
      [
        "a tokens file",
        "tokens: [{name: ci, sha256: HEX, roles: [write]}, {name: proxies, sha256: HEX, roles: [proxy]}]",
      ],
      ["the SHA-256 of a new token", "openssl rand -base64 32 | tee token | tr -d '\\n' | sha256sum"],
    ],
  });
  for (const name of settingNames) {
    const { value, description, preset } = SETTINGS[name];
    command.option(`${flagOf(name)} <${value}>`, description + (preset === undefined ? "" : ` (default: ${preset})`));
  }
  command.option("--config <file>", `settings in YAML; - reads stdin (default: $${CONFIG_VARIABLE})`);
  command.action(async (flags: Record<string, string | undefined>) => {
    const settings = await readSettings(flags, io);
    giveWay();
    const { serve } = await import("../../server/main.ts");
    await serve(settings, io, (url) => {
      if (isCapable(io, io.err)) progress(io).done(`listening on ${url}`);
    });
  });
};
