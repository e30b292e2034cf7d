import type { Served } from "../api/serve.ts";

/** The addresses at which a server listens for Signadot's clients, as its log says them. */
export function addressesOf({ log }: Pick<Served, "log">): { grpc: string; rest: string } {
  const of = (name: string) => new RegExp(`"${name}":"([^"]+)"`).exec(log.join(""))?.[1] ?? "";
  return { grpc: of("signadotGrpc"), rest: `http://${of("signadotRest")}` };
}
