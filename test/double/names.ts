import dns from "node:dns";
import { onTestFinished, vi } from "vitest";

/** Lets the DNS say this of every name until the test ends: that there is none, or that no server answers. */
export function dnsSays(code: "ENOTFOUND" | "EAI_AGAIN"): void {
  const lookup = (name: string, _options: object, callback: (error: Error) => void) =>
    callback(Object.assign(new Error(`getaddrinfo ${code} ${name}`), { code }));
  const spied = vi.spyOn(dns, "lookup").mockImplementation(lookup as never);
  onTestFinished(() => spied.mockRestore());
}
