import { KeywayError } from "../installer/cli/errors.ts";
import { SqliteStore } from "./store/sqlite/store.ts";
import type { Store } from "./store/store.ts";

/** The store that a setting names: `sqlite:FILE`, `kubernetes` or `etcd:URL,URL`. */
export async function openStore(setting: string): Promise<Store> {
  const [, kind, rest = ""] = /^([a-z]+)(?::(.*))?$/s.exec(setting) ?? [];
  if (kind === "sqlite") return new SqliteStore(rest);
  throw new KeywayError(`this keyway has no store ${kind}`, { next: "name one that it has: sqlite:FILE" });
}
