// A browser's cookie jar, as far as links need it: what `set-cookie` names is kept, and thrown away where it says so.
import type { Answer } from "./client.ts";

export class Jar {
  readonly #cookies = new Map<string, string>();

  keep({ headers }: Answer): void {
    for (const line of headers["set-cookie"] ?? []) {
      const [pair = "", ...attributes] = line.split("; ");
      const [name = "", value = ""] = pair.split("=");
      if (attributes.includes("Max-Age=0")) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }

  /** The request header; none where there are no cookies. */
  get headers(): Record<string, string> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    return cookie === "" ? {} : { cookie };
  }
}
