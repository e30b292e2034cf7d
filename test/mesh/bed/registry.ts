// The run's OCI registry, at two places with one store: plain HTTP for anyone, and TLS for who gives the password.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { registry as registryProgram } from "../../../scripts/parts/registry.ts";
import { certificateKeyOf, certificateOf } from "./api.ts";
import { CONTROL_LABEL, namespaceOf } from "./network.ts";
import { REGISTRY_PORT, SECURE_REGISTRY_PORT } from "./ports.ts";
import { controlAddress, type Run } from "./run.ts";
import { startUnit, stopUnit } from "./unit.ts";
import { listening, until } from "./until.ts";

export const REGISTRY_USER = { name: "keyway", password: "opensesame" };
const HTPASSWD = `${REGISTRY_USER.name}:$2b$04$U.U9NapasHlH5wsD/YUtfOZNYAG129ACnqrqo0R3Oz3ds72it2cem\n`;
/** Istio's agent takes every realm for the address of a token server and refuses what is no public one, even for passwords. */
const REALM = "https://registry.example.com/";

export class Registry {
  /** HOST:PORT, as it stands in an oci:// URL. */
  readonly host: string;
  readonly #run: Run;
  readonly #unit: { name: string; directory: string };
  readonly #port: number;

  constructor(run: Run, kind: "plain" | "secure") {
    this.#run = run;
    this.#unit = { name: kind, directory: join(run.directory, "registry") };
    this.#port = kind === "plain" ? REGISTRY_PORT : SECURE_REGISTRY_PORT;
    this.host = `${controlAddress(run)}:${this.#port}`;
  }

  async start(): Promise<void> {
    const { name, directory } = this.#unit;
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "users"), HTPASSWD);
    await writeFile(join(directory, `${name}.json`), JSON.stringify(this.#settings()));
    const command = [await registryProgram(), "serve", `${name}.json`];
    await startUnit({ ...this.#unit, namespace: namespaceOf(this.#run, CONTROL_LABEL), command });
    await until(`the registry at ${this.host}`, () => listening(controlAddress(this.#run), this.#port));
  }

  /** What it stores stays; while it is stopped, connections are refused. */
  async stop(): Promise<void> {
    await stopUnit(this.#unit);
  }

  #settings() {
    const addr = `:${this.#port}`;
    const tls = { certificate: certificateOf(this.#run), key: certificateKeyOf(this.#run) };
    const secure = this.#unit.name === "secure";
    return {
      version: "0.1",
      log: { level: "warn" },
      storage: { filesystem: { rootdirectory: join(this.#unit.directory, "store") }, delete: { enabled: true } },
      http: secure ? { addr, tls, secret: "bed" } : { addr, secret: "bed" },
      ...(secure && { auth: { htpasswd: { realm: REALM, path: join(this.#unit.directory, "users") } } }),
    };
  }
}
