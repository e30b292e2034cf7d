import { request } from "node:http";

/** Whether a Docker engine listens at the socket. */
export function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    request({ socketPath, path: "/_ping", timeout: 2000 }, (response) => resolve(response.resume().statusCode === 200))
      .on("error", () => resolve(false))
      .on("timeout", () => resolve(false))
      .end();
  });
}
