// An instance of a service, as Amalgam8's registry has it: what clients say of it, and what they are told.
import { createHash } from "node:crypto";
import { z } from "zod";
import { byteLength } from "../../../routes/model/bytes.ts";
import { formatPath } from "../../../routes/reading/diagnostic.ts";
import { diagnosticsOf } from "../../../routes/reading/validate.ts";
import { A8Error } from "./errors.ts";

const STATUSES = ["UP", "STARTING", "OUT_OF_SERVICE"] as const;
export type Status = (typeof STATUSES)[number];
const TYPES = ["http", "https", "tcp", "udp", "user"] as const;

/** Seconds: what is taken where a client says nothing, and the least and the most that it gets. */
const DEFAULT_TTL = 30;
const LEAST_TTL = 10;
const MOST_TTL = 600;

const MOST_METADATA = 1024; // bytes
const MOST_TAGS = 64;

export interface Instance {
  id: string;
  service: string;
  endpoint: { type: (typeof TYPES)[number]; value: string };
  /** Seconds after the last heartbeat. */
  ttl: number;
  status: Status;
  tags: string[];
  metadata?: unknown;
  /** Milliseconds since 1970. */
  heartbeat: number;
}

const texts = (most: number, required: string, tooLong: string) =>
  z
    .string({ error: ({ input }) => (input === undefined ? required : "expected a text") })
    .min(1, required)
    .refine((text) => byteLength(text) <= most, tooLong);

/** Further fields are passed over, as clients send what they know of an instance already. */
const registration = z.looseObject(
  {
    service_name: texts(
      64,
      "Service name is required",
      "Failed to register the instance because service name value exceeded 64 bytes",
    ),
    endpoint: z.looseObject(
      {
        type: z
          .string({ error: "Endpoint type or value are missing" })
          .min(1, "Endpoint type or value are missing")
          .refine(
            (type) => type === "" || TYPES.some((one) => one === type),
            `Endpoint type is invalid; it is one of ${TYPES.join(", ")}`,
          ),
        value: texts(
          128,
          "Endpoint type or value are missing",
          "Failed to register the instance because endpoint value exceeded 128 bytes",
        ),
      },
      { error: "Instance endpoint is required" },
    ),
    ttl: z.number({ error: "expected seconds" }).int("expected whole seconds").min(0, "expected seconds").nullish(),
    status: z.string({ error: "expected a text" }).nullish(),
    tags: z
      .array(z.string({ error: "expected a text" }), { error: "expected a list of texts" })
      .max(MOST_TAGS, `more than ${MOST_TAGS} tags`)
      .nullish(),
    metadata: z.unknown().optional(),
  },
  { error: "expected an object" },
);

/** The instance that a client wants to register. Throws an A8Error. */
export function readRegistration(value: unknown, now: number): Instance {
  const result = registration.safeParse(value);
  if (!result.success) throw refusal(result.error);
  const { service_name: service, endpoint, ttl, status, tags, metadata } = result.data;
  const upper = (status || "UP").toUpperCase();
  const known = STATUSES.find((one) => one === upper);
  if (known === undefined) throw bad(`status: Valid statuses are: ${STATUSES.join(", ")}`);
  if (metadata !== undefined && byteLength(JSON.stringify(metadata)) > MOST_METADATA) {
    throw bad(`metadata: Failed to register the instance because metadata value exceeded ${MOST_METADATA} bytes`);
  }
  const { type, value: address } = endpoint as Instance["endpoint"];
  return {
    id: idOf(service, type, address),
    service,
    endpoint: { type, value: address },
    ttl: ttl ? Math.min(MOST_TTL, Math.max(LEAST_TTL, ttl)) : DEFAULT_TTL,
    status: known,
    tags: [...new Set(tags ?? [])],
    ...(metadata !== undefined && metadata !== null && { metadata }),
    heartbeat: now,
  };
}

const bad = (message: string) => new A8Error(400, "error_invalid_json", message);

function refusal(error: z.core.$ZodError): A8Error {
  const lines = diagnosticsOf(error, []).map(({ path, message }) => {
    const place = formatPath(path);
    return place === "" ? message : `${place}: ${message}`;
  });
  return bad(lines.join("; "));
}

/** The same for the same endpoint of a service, so that whoever registers again is the instance that was there. */
function idOf(service: string, type: string, value: string): string {
  return createHash("sha256").update(`${service}/${type}/${value}`).digest("hex").slice(0, 16);
}

/** The fields of an instance as clients see them, in Amalgam8's order. */
export const FIELDS = [
  "id",
  "service_name",
  "endpoint",
  "ttl",
  "status",
  "metadata",
  "last_heartbeat",
  "links",
  "tags",
] as const;

/** `fields` are those that are asked for; id and endpoint are there in any case. */
export function instanceBody(instance: Instance, fields: readonly string[] = FIELDS): object {
  const { id, service, endpoint, ttl, status, metadata, heartbeat, tags } = instance;
  const all: Partial<Record<string, unknown>> = {
    id,
    service_name: service,
    endpoint,
    ttl,
    status,
    metadata,
    last_heartbeat: new Date(heartbeat).toISOString(),
    tags: tags.length > 0 ? tags : undefined,
  };
  const wanted = ["id", "endpoint", ...fields];
  return Object.fromEntries(
    Object.entries(all).filter(([name, value]) => value !== undefined && wanted.includes(name)),
  );
}
