import type { Register } from "../cli/command.ts";
import { build } from "./build.ts";
import { check } from "./check.ts";
import { install } from "./install.ts";
import { publish } from "./publish.ts";
import { render } from "./render.ts";
import { route } from "./route.ts";
import { status } from "./status.ts";
import { uninstall } from "./uninstall.ts";
import { upgrade } from "./upgrade.ts";

export const commands: readonly Register[] = [
  build,
  check,
  install,
  publish,
  render,
  route,
  status,
  uninstall,
  upgrade,
];
