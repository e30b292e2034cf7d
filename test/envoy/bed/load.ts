// Steady requests on kept-alive connections while something changes underneath.
import { type Answer, type Ask, ask, connection } from "./client.ts";

export type Load = {
  /** Ends the load after the requests under way; what was answered, and each request that failed. */
  stop: () => Promise<{ answered: number; services: Set<string>; failures: string[] }>;
};

/** `clients` that each send their next request when the last one is answered, on a kept-alive or on a fresh connection. */
export function load(port: number, clients: number, what: Ask, connections: "kept" | "fresh" = "kept"): Load {
  let running = true;
  let answered = 0;
  const services = new Set<string>();
  const failures: string[] = [];
  const note = ({ status, service, body }: Answer) => {
    answered++;
    services.add(service);
    if (status !== 200) failures.push(`${status} ${body}`);
  };
  const client = async () => {
    const agent = connection();
    const sent = connections === "kept" ? { ...what, agent } : what;
    while (running) await ask(port, sent).then(note, (error: Error) => failures.push(error.message));
    agent.destroy();
  };
  const ended = Array.from({ length: clients }, client);
  return {
    stop: async () => {
      running = false;
      await Promise.all(ended);
      return { answered, services, failures };
    },
  };
}
