import { type Command, InvalidArgumentError } from "commander";
import { collect } from "./table-flags.ts";

export interface LinkFlags {
  link?: URL[];
  keys?: string[];
  routes?: string;
}

/** For which addresses links are printed, and where proxies look for the keys in them. */
export function linkFlags(command: Command): Command {
  return command
    .option("--link <url>", "print the links that open the preview of this address; can be repeated", parseLink)
    .option(
      "--keys <source>",
      "where proxies look for keys, for --link: host:.preview.example.com; can be repeated",
      collect,
    )
    .option("-f, --routes <file>", "a route file whose keys, and whose links, are those, in place of --keys");
}

function parseLink(text: string, before: URL[] = []): URL[] {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:" && url?.protocol !== "http:")
    throw new InvalidArgumentError("expected http://HOST or https://HOST.");
  return [...before, url];
}
