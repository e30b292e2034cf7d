import { processIo } from "../shared/io.ts";
import { run } from "./cli/program.ts";
import { commands } from "./commands/index.ts";

process.exitCode = await run(process.argv.slice(2), commands, processIo());
