import { KeywayError, UsageError } from "../../shared/errors.ts";
import type { Io } from "../../shared/io.ts";
import { TimeIsUp } from "../../shared/net/limit.ts";
import { moduleFaults } from "../module/build.ts";
import type { Repository } from "../registry/client.ts";
import { connect } from "../registry/connect.ts";
import { sha256 } from "../registry/image.ts";
import { type ImageName, parseImageName, pinned } from "../registry/name.ts";
import { pullModule } from "../registry/pull.ts";
import type { Check, CheckOutcome } from "./check.ts";
import type { CheckContext, RegistryChoice } from "./context.ts";

function connectAs({ module, insecure = false }: RegistryChoice, name: ImageName, io: Io): Promise<Repository> {
  return connect(name, { insecure, named: module !== undefined }, io);
}

/** The same module under a URL that can't come to mean another: a tag is looked up once and for all. */
export async function pinModule(url: string, registry: RegistryChoice, io: Io): Promise<string> {
  const name = parseImageName(url);
  if (name.digest !== undefined) return pinned(name, name.digest);
  if (name.tag === undefined) {
    throw new UsageError(`${url} names no version`, {
      next: "give the URL that `keyway publish` printed, with its @sha256:",
    });
  }
  const repository = await connectAs(registry, name, io);
  return pinned(name, sha256(await repository.manifest(name.tag)));
}

export const modulePulled: Check<CheckContext> = {
  id: "module-pull",
  description: "the module can be pulled by its digest",
  severity: "fatal",
  hint: "publish it with `keyway publish`, and give the URL that it prints",
  async run(context) {
    const module = await pulledModule(context);
    return { holds: true, detail: `${context.installation.module}, ${module.length} bytes` };
  },
};

export const moduleLoads: Check<CheckContext> = {
  id: "module-loads",
  description: "the module instantiates with what Envoy provides",
  severity: "fatal",
  hint: "build it with `keyway build`, and publish that",
  needs: ["module-pull"],
  run: ofModule((module) => {
    const faults = moduleFaults(module);
    return faults.length === 0 ? { holds: true } : { holds: false, detail: faults.join("\n") };
  }),
};

function pulledModule(context: CheckContext): Promise<Uint8Array<ArrayBuffer>> {
  return context.once("module", async () => {
    const name = parseImageName(context.installation.module);
    const repository = await connectAs(context.registry, name, context.io);
    return (await pullModule(repository, name)).module;
  });
}

/** Runs a check of the module that was pulled. One that can't be pulled is skipped, since `module-pull` reports it. */
export function ofModule(
  evaluate: (module: Buffer<ArrayBuffer>, context: CheckContext) => CheckOutcome,
): Check<CheckContext>["run"] {
  return async (context) => {
    const module = await pulledModule(context).catch((thrown) => {
      if (thrown instanceof KeywayError && !(thrown instanceof TimeIsUp)) return undefined;
      throw thrown;
    });
    if (module === undefined) return { holds: undefined, detail: "not looked at: the module can't be pulled" };
    return evaluate(Buffer.from(module), context);
  };
}
