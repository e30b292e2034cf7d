export interface Address {
  host: string;
  port: number;
}

/** `HOST:PORT`, `[IPV6]:PORT`, or `:PORT` for all addresses there are; undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  const [, six, host, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return digits === undefined || port > 65535 ? undefined : { host: (six ?? host) || "::", port };
}

/** Whether only this machine reaches it. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
