// Names of services as other systems write them, as route files have them.
import { parseHostName } from "../routes/model/service.ts";

const CLUSTER_HOST = /^([^.:*]+)\.([^.:*]+)\.svc(?:\.cluster\.local)?$/;

/** `reviews`, `reviews.demo.svc` and `reviews.demo.svc.cluster.local` in namespace demo as `reviews.demo`; any other host as it is. */
export function serviceOf(host: string, namespace: string | undefined, port?: number | string): string {
  const [, name, own] = CLUSTER_HOST.exec(host) ?? [];
  const known = name === undefined ? host : `${name}.${own}`;
  const full = known.includes(".") || namespace === undefined ? known : `${known}.${namespace}`;
  return port === undefined ? full : `${full}:${port}`;
}

/** Whether it is one host, and none of a pattern such as `*.example.com`. */
export function isHost(text: string): boolean {
  return !text.includes("*") && parseHostName(`${text}.x`) !== undefined;
}
