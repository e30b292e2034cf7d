import { UsageError } from "../../shared/errors.ts";

/** `oci://HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`, taken apart. */
export interface ImageName {
  readonly host: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

const HOST = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,126}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const SCHEME = "oci://";
const HUB = ["docker.io", "index.docker.io"];

/** Takes apart what the agent of a proxy would take apart alike; what that would refuse, or look for elsewhere, is refused. */
export function parseImageName(url: string): ImageName {
  const refuse = (what: string, next = "write it like oci://registry.example.com/team/keyway:1.0") =>
    new UsageError(`${what} in ${url}`, { next });
  if (!url.startsWith(SCHEME)) throw refuse(`${SCHEME} is missing`);
  const [named = "", digest, ...more] = url.slice(SCHEME.length).split("@");
  if (more.length > 0) throw refuse("there is more than one @");
  const slash = named.indexOf("/");
  const [host, path] = slash < 0 ? [named, ""] : [named.slice(0, slash), named.slice(slash + 1)];
  const [said = "", tag, ...rest] = path.split(":");
  if (!HOST.test(host) || !URL.canParse(`https://${host}`)) throw refuse(`"${host}" is no registry's host`);
  if (said === "") throw refuse("the repository is missing");
  if (!/[.:]/.test(host)) {
    throw refuse(
      `"${host}" would not be taken for a registry's host: without a dot or a port, Istio's agent looks for ${host}/${said} at Docker Hub`,
      `name its port, oci://${host}:443/${said} (plain HTTP: ${host}:80), or its whole name; for Docker Hub write oci://docker.io/${host}/${said}`,
    );
  }
  if (rest.length > 0) throw refuse("there is more than one tag");
  const repository = HUB.includes(host) && !said.includes("/") ? `library/${said}` : said;
  if (!REPOSITORY.test(repository)) throw refuse(`"${repository}" is no repository (lower case, digits, . _ - and /)`);
  if (repository.length < 2 || repository.length > 255) {
    throw refuse(`"${repository}" is no repository for Istio's agent, which wants 2 to 255 characters,`);
  }
  if (tag !== undefined && !TAG.test(tag)) throw refuse(`"${tag}" is no tag`);
  if (digest !== undefined && !DIGEST.test(digest)) throw refuse(`"${digest}" is no sha256 digest`);
  return { host, repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

export function pinned({ host, repository }: ImageName, digest: string): string {
  return `${SCHEME}${host}/${repository}@${digest}`;
}
