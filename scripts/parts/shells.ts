// Shells whose completion is tested.
import { installed } from "./apt.ts";

/** Paths of zsh, with its module zpty, and of fish. */
export async function shells(): Promise<{ zsh: string; fish: string }> {
  const [zsh, fish] = await installed({ program: "zsh", package: "zsh" }, { program: "fish", package: "fish" });
  return { zsh: `${zsh}`, fish: `${fish}` };
}
