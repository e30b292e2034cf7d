import { KeywayError, UsageError } from "../../shared/errors.ts";
import { readBytes } from "../../shared/input.ts";
import { MODULE, VERSION } from "../../shared/package.ts";
import { defineCommand, type Register } from "../cli/command.ts";
import { emit, type Format, outputOption } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { moduleFaults } from "../module/build.ts";
import { connect, type RegistryOptions, registryOptions } from "../registry/connect.ts";
import { imageOf } from "../registry/image.ts";
import { parseImageName, pinned } from "../registry/name.ts";
import { publish as publishImage } from "../registry/publish.ts";

interface Options extends Omit<RegistryOptions, "named"> {
  module?: string;
  mountFrom?: string;
  revision?: string;
  output: Format;
}

export const publish: Register = (program, io) => {
  const command = defineCommand(program, {
    usage: "publish <url>",
    description: `Pushes the module as an OCI image to oci://HOST/REPOSITORY:TAG, reads it back, compares, and sets the tag last. Prints the URL by digest, alone, on stdout. The same module, version and revision give the same digest everywhere.

Logs in, once the registry asks for it, with --username, or KEYWAY_REGISTRY_TOKEN, or KEYWAY_REGISTRY_USERNAME and KEYWAY_REGISTRY_PASSWORD, or with what \`docker login\` left (credential helpers too). With KEYWAY_REGISTRY_HOST set, those of the environment are for that host alone. HTTPS_PROXY, HTTP_PROXY and NO_PROXY are heeded.`,
    examples: [
      [
        "push and keep the URL for the installation",
        "URL=$(keyway publish oci://registry.example.com/team/keyway:1.0)",
      ],
      ["push to a registry on this machine, without TLS", "keyway publish --insecure oci://127.0.0.1:5000/keyway:dev"],
      [
        "promote from one repository to another without sending it again",
        "keyway publish --mount-from staging/keyway oci://registry.example.com/prod/keyway:1.0",
      ],
      [
        "log in for this push alone",
        "echo $TOKEN | keyway publish --username ci --password-stdin oci://ghcr.io/team/keyway:1.0",
      ],
    ],
  });
  registryOptions(command)
    .option("--module <path>", "the module to push (default: the one that belongs to this command)")
    .option("--mount-from <repository>", "another repository of the registry that may hold the module already")
    .option("--revision <commit>", "the source's revision, for an annotation of the image")
    .addOption(outputOption())
    .action(async (url: string, options: Options) => {
      const name = parseImageName(url);
      if (name.tag === undefined || name.digest !== undefined) {
        throw new UsageError(`${url} names no tag to publish under`, {
          next: `add one: ${url.replace(/@.*/, "")}:${VERSION}`,
        });
      }
      const module = await readModule(options.module ?? MODULE);
      const { revision } = options;
      const image = imageOf(module, { version: VERSION, ...(revision && { revision }) });
      const steps = progress(io);
      const repository = await connect(name, { ...options, named: true }, io, steps);
      await publishImage(image, { repository, host: name.host, tag: name.tag, sibling: options.mountFrom }, steps);

      const { digest } = image.manifest;
      const published = {
        url: pinned(name, digest),
        digest,
        tag: name.tag,
        version: VERSION,
        revision: revision ?? null,
      };
      emit(io, options.output, published, () => `${published.url}\n`);
      steps.next(`keyway install --module ${published.url} -n NAMESPACE -l app=NAME -f routes.yaml`);
    });
};

async function readModule(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readBytes(path, "run `keyway build` first, or say where the module is with --module");
  const faults = moduleFaults(bytes);
  if (faults.length === 0) return bytes;
  throw new KeywayError(`no proxy would load the module: ${faults.join("; ")}`, {
    where: path,
    next: "build it with `keyway build`",
  });
}
