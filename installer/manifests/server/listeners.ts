// The ports on which a server listens: its own, and those of other systems' clients that its settings ask for.
import { parseAddress } from "../../../server/address.ts";
import { flagOf } from "../../../server/settings.ts";
import { PORT, type ServerChoice } from "./server.ts";

export interface Listener {
  /** As Istio reads it: the protocol first. */
  name: string;
  port: number;
}

/** The settings that ask for listeners, with the names of their ports; in the order in which Helm goes through them. */
export const DOORS = {
  amalgam8: "http-amalgam8",
  signadotGrpc: "grpc-signadot",
  signadotRest: "http-signadot",
} as const;

export function listenersOf({ arguments: said }: Pick<ServerChoice, "arguments">): Listener[] {
  const doors = Object.entries(DOORS).flatMap(([setting, name]) => {
    const flag = `${flagOf(setting)}=`;
    const address = said.find((one) => one.startsWith(flag))?.slice(flag.length);
    const port = address === undefined ? undefined : parseAddress(address)?.port;
    return port === undefined ? [] : [{ name, port }];
  });
  return [{ name: "http", port: PORT }, ...doors];
}
