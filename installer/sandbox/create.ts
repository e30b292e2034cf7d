import type { SandboxResource } from "../../routes/model/sandbox.ts";
import { KeywayError } from "../../shared/errors.ts";
import type { Io } from "../../shared/io.ts";
import type { DryRun } from "../cli/flags.ts";
import type { LinkFlags } from "../cli/link-flags.ts";
import { emit, type Format } from "../cli/output.ts";
import { progress } from "../cli/progress.ts";
import { connectForSandboxes, type PlaceFlags, waitSeconds } from "../cli/sandbox-flags.ts";
import { sameContents } from "../manifests/contents.ts";
import { diffObjects } from "../print/diff.ts";
import { sandboxData, sandboxTable } from "../print/sandboxes.ts";
import { withContainers } from "./container.ts";
import { type ForkWord, forksIn } from "./fork-words.ts";
import { nameOf, Sandboxes } from "./in-cluster.ts";
import { type Links, linkerFor, warnOfLinks } from "./links.ts";
import { waitInForce } from "./wait.ts";
import { type SandboxWords, wantedSandbox } from "./wanted.ts";

export interface CreateFlags extends PlaceFlags, SandboxWords, LinkFlags {
  wait?: number | boolean;
  dryRun?: DryRun;
  diff?: boolean;
  forceConflicts?: boolean;
  output: Format;
}

export async function createSandbox(
  io: Io,
  name: string,
  flags: CreateFlags,
  words: readonly ForkWord[],
): Promise<void> {
  const forks = forksIn(words);
  const unnamed = forks.map(({ containers, ...fork }) => ({
    ...fork,
    ...(containers.length > 0 && { containers: containers.map((one) => ({ name: "any", ...one })) }),
  }));
  // What is wrong with the words is told before anybody is asked.
  wantedSandbox({ name, namespace: flags.namespace ?? "default" }, flags, unnamed, undefined);
  const linksOf = await linkerFor(flags, io);
  const cluster = await connectForSandboxes(flags, io);
  const namespace = flags.namespace ?? cluster.namespace;
  const sandboxes = new Sandboxes(cluster);
  const before = await sandboxes.get(namespace, name);
  if (before?.metadata.deletionTimestamp !== undefined) {
    throw new KeywayError(`Sandbox ${nameOf(before)} is being deleted`, {
      next: `wait until it is gone: keyway sandbox delete ${name} --wait`,
    });
  }
  const wanted = wantedSandbox({ name, namespace }, flags, await withContainers(cluster, namespace, forks), before);
  const { dryRun, diff, forceConflicts: force = false } = flags;
  const isDry = dryRun !== undefined || diff === true;
  const after = dryRun === "client" ? wanted : await sandboxes.apply(wanted, { dryRun: isDry, force });
  if (diff) {
    io.out.write(diffObjects(before, after, `Sandbox ${namespace}/${name}`));
    progress(io).done(`nothing was changed; it would be: ${outcomeOf(before, after)}`);
    return;
  }
  const links = linksOf(after.spec.key ?? name);
  const outcome = `${outcomeOf(before, after)}${isDry ? " (dry run)" : ""}`;
  const seconds = isDry ? undefined : waitSeconds(flags.wait);
  const steps = progress(io);
  const waiting = { signal: io.signal, told: (text: string) => steps.update(`waits for ${text}`) };
  const { sandbox, failure } =
    seconds === undefined
      ? { sandbox: after, failure: undefined }
      : await waitInForce(sandboxes, after, { seconds, ...waiting });
  print(io, sandbox, outcome, links, flags);
  if (failure) throw failure;
  if (seconds !== undefined) steps.done(`Sandbox ${nameOf(sandbox)} is in force`);
  else if (!isDry) steps.next(`keyway sandbox list -n ${namespace} shows how far it is; --wait waits for it`);
}

function print(
  io: Io,
  sandbox: SandboxResource,
  outcome: string,
  links: readonly Links[],
  { output }: CreateFlags,
): void {
  const urls = links.flatMap((one) => one.urls);
  const data = { ...sandboxData(sandbox), outcome, ...(links.length > 0 && { links: urls }) };
  emit(
    io,
    output,
    data,
    () => sandboxTable(io, [sandbox], { outcomes: [outcome] }) + urls.map((url) => `${url}\n`).join(""),
  );
  warnOfLinks(io, links);
}

function outcomeOf(before: SandboxResource | undefined, after: SandboxResource): string {
  if (before === undefined) return "created";
  return sameContents(before, after) ? "unchanged" : "changed";
}
