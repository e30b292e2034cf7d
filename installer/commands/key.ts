import { addCommands, defineCommand, type Entry, type Register } from "../cli/command.ts";

const entries: readonly Entry[] = [
  {
    name: "generate",
    summary: "make a key that signs, and the entry that verifies it",
    load: async () => (await import("./key-generate.ts")).keyGenerate,
  },
  {
    name: "sign",
    summary: "print a signed key",
    load: async () => (await import("./key-sign.ts")).keySign,
  },
  {
    name: "verify",
    summary: "say whether a signed key counts, and why not",
    load: async () => (await import("./key-verify.ts")).keyVerify,
  },
];

export const key: Register = async (program, io, wanted) => {
  const group = defineCommand(program, {
    usage: "key",
    description:
      "Works with signed keys: routing keys that proxies at the edge take from outside, with the time when they end and the services that they " +
      "are meant for. A gateway whose route file says `edge: {accept: signed, keys: [...]}` takes off every other key.",
    examples: [
      [
        "once: a key that signs, and what gateways verify with",
        "keyway key generate --id 2026-11 --key-file 2026-11.key",
      ],
      ["for each preview", "keyway key sign pr-42 --ttl 2h --services reviews,ratings --key-file 2026-11.key"],
      ["why does it not count?", "keyway key verify TOKEN -f routes.yaml"],
    ],
  });
  await addCommands(group, entries, io, wanted);
};
