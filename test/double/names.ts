import dns from "node:dns";
import { isIP } from "node:net";
import { vi } from "vitest";

/** Lets the DNS say this of every name, that there is none or that no server answers, until what it returns is called. */
export function dnsSays(code: "ENOTFOUND" | "EAI_AGAIN"): () => void {
  const real = dns.lookup;
  const lookup = (name: string, options: dns.LookupOptions, told: (error: Error | null) => void) => {
    if (isIP(name) !== 0) real(name, options, told);
    else told(Object.assign(new Error(`getaddrinfo ${code} ${name}`), { code }));
  };
  const spied = vi.spyOn(dns, "lookup").mockImplementation(lookup as never);
  return () => spied.mockRestore();
}
