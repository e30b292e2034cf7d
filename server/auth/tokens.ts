// The tokens file: whose tokens there are, and what they may do.
import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync, unwatchFile, watchFile } from "node:fs";
import { z } from "zod";
import { expected, object, text, word } from "../../routes/model/fields.ts";
import { validate } from "../../routes/reading/validate.ts";
import { readYaml } from "../../routes/reading/yaml.ts";
import { KeywayError, reason } from "../../shared/errors.ts";
import { withFileErrors } from "../../shared/input.ts";
import { type Authenticator, type Principal, ROLES, type Role } from "./authenticator.ts";

const roles = z
  .array(word(ROLES), { error: expected(`a list of ${ROLES.join(", ")}`) })
  .meta({ description: "`read`, `write` (which reads as well) and `proxy`." });

const token = object({
  name: text(256).meta({ description: "Whose it is; the log says it." }),
  sha256: z.exactOptional(
    z
      .string({ error: "expected the SHA-256 of the token, 64 hexadecimal digits" })
      .regex(/^[0-9a-fA-F]{64}$/, "expected the SHA-256 of the token, 64 hexadecimal digits")
      .meta({ description: "The SHA-256 of the token, in hexadecimal." }),
  ),
  namespace: z.exactOptional(
    z
      .string({ error: expected("the name of a namespace") })
      .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "expected the name of a namespace")
      .meta({ description: "The namespace of Amalgam8's clients with this token." }),
  ),
  token: z.exactOptional(text(4096).meta({ description: "The token itself, in place of `sha256`." })),
  roles,
}).check(({ value, issues }) => {
  if ((value.sha256 === undefined) !== (value.token === undefined)) return;
  issues.push({ code: "custom", input: "", message: "exactly one of sha256, token is needed" });
});

/** The tokens file. */
export const tokensSchema = object({
  tokens: z.array(token, { error: expected("a list of tokens") }).meta({ description: "The tokens there are." }),
  anonymous: z.exactOptional(roles.meta({ description: "What requests without a token may do; nothing unless said." })),
});
type TokensFile = z.output<typeof tokensSchema>;

/** Milliseconds between two looks at the file. */
const LOOK_MS = 500;

interface Entry {
  principal: Principal;
  digest: Buffer;
  name: string;
  roles: readonly Role[];
  namespace: string | undefined;
  revoked: AbortController;
}

interface Told {
  /** The file was read again: how many tokens there are. */
  reread(tokens: number): void;
  /** What was read can't be used; the tokens from before stay. */
  failed(error: Error): void;
  /** Others can read the tokens themselves. */
  exposed(file: string): void;
}

/** Knows the tokens of a file, and reads it again when it changes. A token that is gone, or may do other things now, is revoked. */
export class FileTokens implements Authenticator {
  readonly #file: string;
  readonly #told: Told;
  #entries: Entry[] = [];
  #anonymous: Entry;

  /** Throws a KeywayError for a file that can't be used. */
  constructor(file: string, told: Told) {
    this.#file = file;
    this.#told = told;
    this.#anonymous = entry("", "anonymous", []);
    this.#take(this.#read());
    watchFile(file, { interval: LOOK_MS, persistent: false }, () => this.#reread());
  }

  authenticate(given: string | undefined): Principal | undefined {
    if (given === undefined) return this.#anonymous.principal;
    const digest = digestOf(given);
    let found: Entry | undefined;
    // All of them are compared, so that the time says nothing of which one it is.
    for (const one of this.#entries) if (timingSafeEqual(one.digest, digest)) found ??= one;
    return found?.principal;
  }

  close(): void {
    unwatchFile(this.#file);
  }

  #reread(): void {
    try {
      this.#take(this.#read());
      this.#told.reread(this.#entries.length);
    } catch (thrown) {
      this.#told.failed(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  }

  #read(): TokensFile {
    const file = this.#file;
    let content: string;
    try {
      content = readFileSync(file, "utf8");
    } catch (cause) {
      throw new KeywayError(`can't read the tokens: ${reason(cause)}`, {
        where: file,
        next: "name a file with --tokens, like: {tokens: [{name: ci, sha256: SHA-256-OF-THE-TOKEN, roles: [write]}]}",
        cause,
      });
    }
    return withFileErrors(file, () => {
      const { value, locate } = readYaml(content);
      return validate(tokensSchema, value ?? {}, locate);
    });
  }

  #take({ tokens, anonymous = [] }: TokensFile): void {
    if (tokens.some(({ token: plain }) => plain !== undefined) && isExposed(this.#file)) this.#told.exposed(this.#file);
    const before = [...this.#entries, this.#anonymous];
    const kept = (fresh: Entry) => before.find((old) => isSame(old, fresh)) ?? fresh;
    this.#entries = tokens.map(({ name, sha256, token: plain = "", roles: given, namespace }) => {
      return kept(entry(sha256 ?? digestOf(plain).toString("hex"), name, given, namespace));
    });
    this.#anonymous = kept(entry("", "anonymous", anonymous));
    const now = new Set([...this.#entries, this.#anonymous]);
    for (const old of before) if (!now.has(old)) old.revoked.abort();
  }
}

const digestOf = (given: string): Buffer => createHash("sha256").update(given).digest();

function entry(sha256: string, name: string, roles: readonly Role[], namespace?: string): Entry {
  const revoked = new AbortController();
  const may = (role: Role) => roles.includes(role) || (role === "read" && roles.includes("write"));
  const principal = { name, may, revoked: revoked.signal, ...(namespace !== undefined && { namespace }) };
  return { principal, digest: Buffer.from(sha256, "hex"), name, roles, namespace, revoked };
}

function isSame(a: Entry, b: Entry): boolean {
  return (
    a.name === b.name && a.digest.equals(b.digest) && a.roles.join() === b.roles.join() && a.namespace === b.namespace
  );
}

function isExposed(file: string): boolean {
  return (statSync(file).mode & 0o004) !== 0;
}
