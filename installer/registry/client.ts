import { KeywayError } from "../../shared/errors.ts";
import { integrityError } from "./errors.ts";
import { type Blob, sha256 } from "./image.ts";
import { DOCKER_MANIFEST, MANIFEST } from "./media.ts";
import type { ImageName } from "./name.ts";
import { refused } from "./refusal.ts";
import type { Answer, Ask, Transport } from "./transport.ts";

export type Uploaded = "pushed" | "already there" | "taken over";

/** One repository of a registry, by the OCI distribution specification. */
export class Repository {
  readonly #transport: Transport;
  readonly #name: ImageName;

  constructor(transport: Transport, name: ImageName) {
    this.#transport = transport;
    this.#name = name;
  }

  /** Stores a blob, or takes it over from `sibling`, another repository of the registry, where that has it. */
  async upload({ digest, bytes }: Blob, sibling: string | undefined): Promise<Uploaded> {
    this.#transport.login.want(this.#name.repository, "pull", "push");
    if (sibling !== undefined) this.#transport.login.want(sibling, "pull");
    const existing = await this.#send({ method: "HEAD", url: this.#path("blobs", digest) });
    if (existing.status === 200) return "already there";
    // Registries and their storage don't all answer HEAD: anything but a failure or a missing login leads to the upload.
    if (existing.own && (existing.status === 401 || existing.status === 429 || existing.status >= 500)) {
      throw this.#refuse(existing, "push to");
    }

    if (sibling !== undefined && (await this.#takeOver(digest, sibling))) return "taken over";
    const stored = await this.#transport.persist(async () => {
      const session = await this.#transport.send({ method: "POST", url: this.#path("blobs", "uploads/") });
      if (session.status !== 202) return session;
      const url = this.#location(session);
      url.searchParams.set("digest", digest);
      return this.#transport.send({
        method: "PUT",
        url,
        headers: { "content-type": "application/octet-stream" },
        body: bytes,
      });
    });
    if (!isDone(stored)) throw this.#refuse(stored, "push to");
    this.#agree(stored, digest);
    return "pushed";
  }

  /** A registry that does not find the blob there, or does not say, is no reason to fail: the blob is pushed instead. */
  async #takeOver(digest: string, sibling: string): Promise<boolean> {
    const url = `${this.#path("blobs", "uploads/")}?${new URLSearchParams({ mount: digest, from: sibling })}`;
    const { status } = await this.#send({ method: "POST", url });
    return status === 201;
  }

  /** Stores a manifest under its digest, or under a tag. */
  async putManifest({ mediaType, bytes, digest }: Blob, reference: string): Promise<void> {
    this.#transport.login.want(this.#name.repository, "pull", "push");
    const url = this.#path("manifests", reference);
    const answer = await this.#send({ method: "PUT", url, headers: { "content-type": mediaType }, body: bytes });
    if (isDone(answer)) return this.#agree(answer, digest);
    // An immutable tag is refused even the manifest that it names already.
    if (!(await this.#names(reference, digest))) throw this.#refuse(answer, "push to");
  }

  async #names(reference: string, digest: string): Promise<boolean> {
    try {
      return sha256(await this.manifest(reference)) === digest;
    } catch (thrown) {
      if (thrown instanceof KeywayError) return false;
      throw thrown;
    }
  }

  /** A manifest's bytes; checked against `reference` when that is a digest. */
  async manifest(reference: string): Promise<Buffer> {
    const headers = { accept: `${MANIFEST}, ${DOCKER_MANIFEST}` };
    return this.#get(this.#path("manifests", reference), reference, headers);
  }

  async blob(digest: string): Promise<Buffer> {
    return this.#get(this.#path("blobs", digest), digest);
  }

  async #get(url: string, reference: string, headers: Record<string, string> = {}): Promise<Buffer> {
    this.#transport.login.want(this.#name.repository, "pull");
    const answer = await this.#send({ method: "GET", url, headers });
    if (answer.status !== 200) throw this.#refuse(answer, "pull from");
    const digest = sha256(answer.body);
    if (reference.startsWith("sha256:") && digest !== reference) {
      throw integrityError(this.#name.host, `gives back ${digest} for ${reference}`, answer.where);
    }
    return answer.body;
  }

  #send(ask: Ask): Promise<Answer> {
    return this.#transport.persist(() => this.#transport.send(ask));
  }

  #path(kind: "blobs" | "manifests", reference: string): string {
    return `/v2/${this.#name.repository}/${kind}/${reference}`;
  }

  #location(session: Answer): URL {
    const location = session.headers.get("location");
    if (location === null || !URL.canParse(location, session.url)) {
      throw integrityError(this.#name.host, "starts an upload but does not say where", session.where);
    }
    return new URL(location, session.url);
  }

  #agree(answer: Answer, digest: string): void {
    const claimed = answer.headers.get("docker-content-digest");
    if (claimed !== null && claimed !== digest) {
      throw integrityError(this.#name.host, `says that it stored ${claimed} where ${digest} was sent`, answer.where);
    }
  }

  #refuse(answer: Answer, doing: string): KeywayError {
    const { host, repository } = this.#name;
    const { user, withheld } = this.#transport.login;
    return refused(answer, { host, repository, user, withheld, doing });
  }
}

/** Registries answer 200, 201, 202 or 204; what they stored is read back in any case. */
function isDone({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}
