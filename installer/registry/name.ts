import { UsageError } from "../cli/errors.ts";

/** `oci://HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`, taken apart. */
export interface ImageName {
  readonly host: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

const HOST = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const SCHEME = "oci://";

export function parseImageName(url: string): ImageName {
  const refuse = (what: string) =>
    new UsageError(`${what} in ${url}`, { next: "write it like oci://registry.example.com/team/keyway:1.0" });
  if (!url.startsWith(SCHEME)) throw refuse(`${SCHEME} is missing`);
  const [named = "", digest] = url.slice(SCHEME.length).split("@", 2);
  const slash = named.indexOf("/");
  const [host, path] = slash < 0 ? [named, ""] : [named.slice(0, slash), named.slice(slash + 1)];
  const [repository = "", tag] = path.split(":", 2);
  if (!HOST.test(host) || !URL.canParse(`https://${host}`)) throw refuse(`"${host}" is no registry's host`);
  if (repository === "") throw refuse("the repository is missing");
  if (!REPOSITORY.test(repository)) throw refuse(`"${repository}" is no repository (lower case, digits, . _ - and /)`);
  if (tag !== undefined && !TAG.test(tag)) throw refuse(`"${tag}" is no tag`);
  if (digest !== undefined && !DIGEST.test(digest)) throw refuse(`"${digest}" is no sha256 digest`);
  return { host, repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

export function pinned({ host, repository }: ImageName, digest: string): string {
  return `${SCHEME}${host}/${repository}@${digest}`;
}
