import type { Register } from "../cli/command.ts";
import { build } from "./build.ts";

export const commands: readonly Register[] = [build];
