import { Argument } from "commander";
import { defineCommand, type Register } from "../cli/command.ts";
import { SCRIPTS, SETUP, SHELLS, type Shell } from "../completion/scripts.ts";

export const completion: Register = (program, io) => {
  defineCommand(program, {
    usage: "completion",
    description:
      "Prints what a shell evaluates to complete commands, flags, and the ids, keys, owners and services of live routes. Those are asked from " +
      "the server that KEYWAY_SERVER or --server names; where it does not answer at once, nothing is offered. With the words of a command " +
      "line behind -- it prints what may stand in the place of the last one.",
    examples: [
      ["for this shell alone", "source <(keyway completion bash)"],
      ...SHELLS.map((shell): [string, string] => [`${shell}, for good`, SETUP[shell]]),
    ],
  })
    .addArgument(new Argument("<shell>", "whose script").choices(SHELLS))
    .addArgument(new Argument("[words...]", "a command line without its first word, whose last word is begun"))
    .action(async (shell: Shell, words: string[]) => {
      if (words.length === 0) {
        io.out.write(SCRIPTS[shell]);
        return;
      }
      const { candidatesFor } = await import("../completion/candidates.ts");
      // The commands that the words name are loaded as any others that the command line names.
      const candidates = candidatesFor(program, words);
      if (candidates === "files") {
        io.out.write(":files\n");
        return;
      }
      const { namedCandidates } = await import("../completion/named.ts");
      const list = "named" in candidates ? await namedCandidates(candidates.named, words, io) : candidates;
      io.out.write(list.map((one) => `${formatted(shell, one)}\n`).join(""));
    });
};

/** A word, and what it means where the shell shows that. */
function formatted(shell: Shell, { word, meaning }: { word: string; meaning: string }): string {
  if (shell === "bash" || meaning === "") return shell === "zsh" ? word.replaceAll(":", "\\:") : word;
  const short = shortened(meaning);
  return shell === "zsh" ? `${word.replaceAll(":", "\\:")}:${short}` : `${word}\t${short}`;
}

/** The longest meaning that is shown. */
const WIDTH = 60;

/** The first sentence or its first half, cut between words. A full stop within a name ends none. */
function shortened(meaning: string): string {
  const [sentence = ""] = meaning.split(/[.;](?:\s|$)|\n/, 1);
  return sentence.length <= WIDTH ? sentence : `${sentence.slice(0, WIDTH).replace(/\s+\S*$/, "")} …`;
}
