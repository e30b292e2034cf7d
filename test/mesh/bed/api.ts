// The bed's own way to the API server, as the cluster's administrator.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
} from "@kubernetes/client-node";
import { API_PORT } from "./ports.ts";
import { controlAddress, type Run } from "./run.ts";

export const ADMIN_TOKEN = "administrator";

const TOKEN_SECONDS = 24 * 3600;

export type Resource = KubernetesObject & Record<string, unknown>;

export class Api {
  readonly server: string;
  readonly config = new KubeConfig();
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly #ca: string;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #objects: KubernetesObjectApi;

  constructor(run: Run) {
    this.server = `https://${controlAddress(run)}:${API_PORT}`;
    this.#ca = readFileSync(certificateOf(run), "utf8");
    this.config.loadFromString(this.kubeconfig(ADMIN_TOKEN));
    this.core = this.config.makeApiClient(CoreV1Api);
    this.apps = this.config.makeApiClient(AppsV1Api);
    this.#objects = KubernetesObjectApi.makeApiClient(this.config);
  }

  /** The text of a kubeconfig that speaks with this bearer token. */
  kubeconfig(token: string): string {
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "bed",
      contexts: [{ name: "bed", context: { cluster: "bed", user: "user" } }],
      clusters: [
        {
          name: "bed",
          cluster: { server: this.server, "certificate-authority-data": Buffer.from(this.#ca).toString("base64") },
        },
      ],
      users: [{ name: "user", user: { token } }],
    });
  }

  /** Creates the objects or makes them as given. */
  async apply(...objects: Resource[]): Promise<void> {
    const one = (object: Resource) =>
      this.#objects.patch(object, undefined, undefined, "bed", true, PatchStrategy.ServerSideApply);
    await Promise.all(objects.map(one));
  }

  /** Changes the fields that are given, as `kubectl patch` and `kubectl scale` do. */
  async change(object: Resource): Promise<void> {
    await this.#objects.patch(object, undefined, undefined, "user", undefined, PatchStrategy.MergePatch);
  }

  /** Deletes the objects; those that are not there are no error. */
  async delete(...objects: Resource[]): Promise<void> {
    const one = (object: Resource) =>
      this.#objects.delete(object).catch((error: { code?: number }) => {
        if (error.code !== 404) throw error;
      });
    await Promise.all(objects.map(one));
  }

  /** Without any seconds of grace the Pod is gone at once; else it is marked as one that ends. One that is not there is no error. */
  async deletePod(namespace: string, name: string, gracePeriodSeconds: number): Promise<void> {
    await this.core.deleteNamespacedPod({ namespace, name, gracePeriodSeconds }).catch((error: { code?: number }) => {
      if (error.code !== 404) throw error;
    });
  }

  /** The JSON, or the text, that the API server answers a GET with. */
  async get(path: string, accept = "application/json"): Promise<unknown> {
    const { status, body } = await this.#fetch(path, accept);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${body}`);
    return body.startsWith("{") ? JSON.parse(body) : body;
  }

  /** A token of the account, for the API server itself or for the audience, bound to the pod if one is named. */
  async token(namespace: string, account: string, audience?: string, pod?: string): Promise<string> {
    const body = {
      spec: {
        audiences: audience ? [audience] : [],
        expirationSeconds: TOKEN_SECONDS,
        ...(pod && { boundObjectRef: { apiVersion: "v1", kind: "Pod", name: pod } }),
      },
    };
    const { status } = await this.core.createNamespacedServiceAccountToken({ name: account, namespace, body });
    return `${status?.token}`;
  }

  async ready(): Promise<boolean> {
    const answer = await this.#fetch("/readyz").catch(() => undefined);
    return answer?.status === 200;
  }

  async #fetch(path: string, accept = "*/*"): Promise<{ status: number | undefined; body: string }> {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, accept };
    const sent = request(`${this.server}${path}`, { ca: this.#ca, headers, agent: this.#agent }).end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    return { status: response.statusCode, body: await text(response) };
  }
}

/** The certificate that the API server makes for its address; the other servers at that address share it. */
export const certificateOf = (run: Run): string => join(run.directory, "control", "apiserver.crt");
export const certificateKeyOf = (run: Run): string => join(run.directory, "control", "apiserver.key");
