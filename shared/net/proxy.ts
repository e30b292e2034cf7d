import { BlockList, isIP } from "node:net";
import { KeywayError } from "../errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy that the environment names for `url`: HTTPS_PROXY or HTTP_PROXY, in capitals or not, unless NO_PROXY excepts its host. */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const name = /^(?:https|wss):$/.test(url.protocol) ? "HTTPS_PROXY" : "HTTP_PROXY";
  const said = variable(env, name);
  if (said === undefined || isExcepted(url, variable(env, "NO_PROXY") ?? "")) return undefined;
  const text = said.includes("://") ? said : `http://${said}`;
  if (URL.canParse(text) && /^(?:https?|socks5?):$/.test(new URL(text).protocol)) return new URL(text);
  // The value is not shown: it may hold a password.
  throw new KeywayError(`${name} does not hold a proxy's address`, {
    next: `write it like ${name}=http://proxy.example.com:3128, or unset it`,
  });
}

/** As for kubectl, no proxy of the environment stands between this machine and itself. */
export function proxyBeyondLoopback(url: URL, env: Environment): URL | undefined {
  return /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname) ? undefined : proxyFor(url, env);
}

function variable(env: Environment, name: string): string | undefined {
  return env[name] || env[name.toLowerCase()] || undefined;
}

/** NO_PROXY holds hosts (with their subdomains), addresses and CIDR blocks, each with or without a port; `*` is everything. */
function isExcepted(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  const port = url.port || (/^(?:https|wss):$/.test(url.protocol) ? "443" : "80");
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => {
      const [, bracketed, plain, entryPort] = /^(?:\[(.+)\]|([^:]*|.*:.*:.*?))(?::(\d+))?$/.exec(entry) ?? [];
      const name = (bracketed ?? plain ?? entry).toLowerCase();
      return (entryPort === undefined || entryPort === port) && covers(name, host);
    });
}

function covers(entry: string, host: string): boolean {
  if (entry === "*") return true;
  const family = isIP(host);
  if (family !== 0) return contains(entry, host, family === 6 ? "ipv6" : "ipv4");
  const domain = entry.replace(/^\*?\./, "").replace(/\.$/, "");
  return host === domain || host.endsWith(`.${domain}`);
}

function contains(entry: string, address: string, family: "ipv4" | "ipv6"): boolean {
  const [network = "", length] = entry.split("/", 2);
  if (isIP(network) !== (family === "ipv6" ? 6 : 4)) return false;
  const block = new BlockList();
  const bits = length === undefined ? (family === "ipv6" ? 128 : 32) : Number(length);
  if (!Number.isInteger(bits) || bits < 0 || bits > (family === "ipv6" ? 128 : 32)) return false;
  block.addSubnet(network, bits, family);
  return block.check(address, family);
}
