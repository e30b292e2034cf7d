// Steady requests on kept-alive connections while something changes underneath.
import { type Answer, type Ask, ask, connection } from "./client.ts";

export type Load = {
  /** Ends the load after the requests under way; what was answered, and each request that failed. */
  stop: () => Promise<{ answered: number; services: Set<string>; failures: string[] }>;
};

/** `connections` clients, each sending its next request when the last one is answered. */
export function load(port: number, connections: number, what: Ask): Load {
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
    while (running) await ask(port, { ...what, agent }).then(note, (error: Error) => failures.push(error.message));
    agent.destroy();
  };
  const clients = Array.from({ length: connections }, client);
  return {
    stop: async () => {
      running = false;
      await Promise.all(clients);
      return { answered, services, failures };
    },
  };
}
