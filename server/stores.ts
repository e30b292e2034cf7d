import { readFileSync } from "node:fs";
import { KeywayError, reason, UsageError } from "../installer/cli/errors.ts";
import { flagOf, type SettingName, type Settings } from "./settings.ts";
import { EtcdStore } from "./store/etcd/store.ts";
import { SqliteStore } from "./store/sqlite/store.ts";
import type { Store } from "./store/store.ts";

/** The store that the setting names: `sqlite:FILE` or `etcd:URL,URL`. */
export function openStore(settings: Settings): Store {
  const [, kind, rest = ""] = /^([a-z]+)(?::(.*))?$/s.exec(settings.store) ?? [];
  if (kind === "sqlite") return new SqliteStore(rest);
  if (kind === "etcd") return etcdStore(rest, settings);
  throw new KeywayError(`this keyway has no store ${kind}`, {
    next: "name one that it has: sqlite:FILE, etcd:URL,URL",
  });
}

function etcdStore(urls: string, settings: Settings): Store {
  const { etcdUser: user } = settings;
  const contents = {
    password: contentOf("etcdPasswordFile", settings)?.trimEnd(),
    ca: contentOf("etcdCa", settings),
    cert: contentOf("etcdCert", settings),
    key: contentOf("etcdKey", settings),
  };
  const given = Object.fromEntries(Object.entries({ user, ...contents }).filter(([, value]) => value !== undefined));
  return new EtcdStore({ endpoints: urls.split(",").map(endpointOf), ...given });
}

function endpointOf(text: string): string {
  const url = URL.parse(text.trim());
  if (url && /^https?:$/.test(url.protocol) && url.pathname === "/" && !url.search && !url.username) return url.origin;
  throw new UsageError(`--store: ${JSON.stringify(text)} is no address of etcd`, {
    next: "name its members like etcd:http://10.0.0.1:2379,http://10.0.0.2:2379; user and password are settings of their own",
  });
}

function contentOf(name: SettingName & keyof Settings, settings: Settings): string | undefined {
  const file = settings[name];
  if (file === undefined) return undefined;
  try {
    return readFileSync(String(file), "utf8");
  } catch (thrown) {
    throw new KeywayError(`${flagOf(name)}: ${reason(thrown)}`, {
      where: String(file),
      next: "name a file that can be read",
    });
  }
}
