import type { Register } from "../cli/command.ts";
import { build } from "./build.ts";
import { publish } from "./publish.ts";

export const commands: readonly Register[] = [build, publish];
