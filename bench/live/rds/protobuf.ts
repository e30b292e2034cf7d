// The few messages of Envoy's incremental route discovery that the benchmark's control plane speaks, in protobuf's encoding.
// Field numbers are those of envoy.service.discovery.v3 and envoy.config.route.v3.
const LENGTH_DELIMITED = 2;
const TYPE = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";

/** One field with a text or a message. */
function field(number: number, content: string | Uint8Array): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return Buffer.concat([varint(number * 8 + LENGTH_DELIMITED), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return Buffer.from([...bytes, value]);
}

/** A route of a virtual host, as its field: requests whose header has the value go to the cluster; without a header, all requests. */
export function routeField(cluster: string, header?: { name: string; value: string }): Buffer {
  const matcher = header && Buffer.concat([field(1, header.name), field(13, field(1, header.value))]);
  const match = Buffer.concat([field(1, "/"), ...(matcher ? [field(6, matcher)] : [])]);
  return field(3, Buffer.concat([field(1, match), field(2, field(1, cluster))]));
}

/** A route configuration with one virtual host, whose answers name the cluster that they come from in the header `served`. */
export function routeConfiguration(name: string, served: string, routes: Buffer[]): Buffer {
  const header = field(1, Buffer.concat([field(1, served), field(2, "%UPSTREAM_CLUSTER%")]));
  const host = [field(1, name), field(2, "*"), ...routes, field(10, header)];
  return Buffer.concat([field(1, name), field(2, Buffer.concat(host))]);
}

/** A DeltaDiscoveryResponse with one resource. */
export function discoveryResponse(name: string, version: string, configuration: Buffer): Buffer {
  const any = Buffer.concat([field(1, TYPE), field(2, configuration)]);
  const resource = Buffer.concat([field(1, version), field(2, any), field(3, name)]);
  return Buffer.concat([field(1, version), field(2, resource), field(4, TYPE), field(5, version)]);
}

/** Why Envoy refused the last response, where a DeltaDiscoveryRequest says that it did. */
export function refusal(request: Buffer): string | undefined {
  const status = fieldsOf(request).find(({ number }) => number === 7);
  return (
    status &&
    fieldsOf(status.bytes)
      .find(({ number }) => number === 2)
      ?.bytes.toString()
  );
}

function fieldsOf(message: Buffer): { number: number; bytes: Buffer }[] {
  const fields: { number: number; bytes: Buffer }[] = [];
  let at = 0;
  const next = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++] as number;
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = next();
    const length = tag % 8 === LENGTH_DELIMITED ? next() : 0;
    if (tag % 8 === 0) next();
    fields.push({ number: Math.floor(tag / 8), bytes: message.subarray(at, at + length) });
    at += length;
  }
  return fields;
}
