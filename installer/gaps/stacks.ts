// How services of common stacks are made to hand on what a proxy needs: each with one line to paste, and where its makers say so.
// `HEADER` stands for the header in which the key travels, or that of the trace.

export interface Stack {
  name: string;
  /** What the line makes travel: the ids of the trace, by which the proxy gives the key back, or the header with the key itself. */
  carries: "trace" | "key";
  line: string;
  source: string;
  /** The line is for a header that is the key's alone: a tracing library has its own ways with the headers of traces and baggage. */
  ownHeaderOnly?: true;
}

const SHARED_HEADERS = ["traceparent", "tracestate", "baggage"];

export const HEADER = "HEADER";
/** The same name as nginx has it in a variable. */
export const HEADER_VARIABLE = "HEADER_VARIABLE";

export const stacks: readonly Stack[] = [
  {
    name: "OpenTelemetry, but Go",
    carries: "trace",
    line: "OTEL_PROPAGATORS=tracecontext,baggage",
    source: "https://opentelemetry.io/docs/languages/sdk-configuration/general/#otel_propagators",
  },
  {
    name: "OpenTelemetry, Java agent",
    carries: "trace",
    line: "JAVA_TOOL_OPTIONS=-javaagent:/path/to/opentelemetry-javaagent.jar",
    source: "https://opentelemetry.io/docs/zero-code/java/agent/getting-started/",
  },
  {
    name: "OpenTelemetry, Node.js",
    carries: "trace",
    line: "NODE_OPTIONS=--require=@opentelemetry/auto-instrumentations-node/register",
    source: "https://opentelemetry.io/docs/zero-code/js/",
  },
  {
    name: "OpenTelemetry, Python",
    carries: "trace",
    line: "opentelemetry-instrument python app.py",
    source: "https://opentelemetry.io/docs/zero-code/python/",
  },
  {
    name: "OpenTelemetry, Go",
    carries: "trace",
    line: "otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))",
    source: "https://pkg.go.dev/go.opentelemetry.io/otel#SetTextMapPropagator",
  },
  {
    name: "Datadog",
    carries: "trace",
    line: "DD_TRACE_PROPAGATION_STYLE=datadog,tracecontext,baggage",
    source: "https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation",
  },
  {
    name: "Spring Boot, Micrometer Tracing",
    carries: "key",
    line: "management.tracing.baggage.remote-fields=HEADER",
    ownHeaderOnly: true,
    source: "https://docs.spring.io/spring-boot/reference/actuator/tracing.html#actuator.micrometer-tracing.baggage",
  },
  {
    name: "Go, net/http",
    carries: "key",
    line: 'out.Header[http.CanonicalHeaderKey("HEADER")] = in.Header.Values("HEADER")',
    source: "https://pkg.go.dev/net/http#Header",
  },
  {
    name: "Node.js, fetch",
    carries: "key",
    line: 'fetch(url, { headers: request.headers["HEADER"] ? { "HEADER": request.headers["HEADER"] } : {} })',
    source: "https://nodejs.org/api/http.html#messageheaders",
  },
  {
    name: "Python, requests and Flask",
    carries: "key",
    line: 'requests.get(url, headers={"HEADER": request.headers.get("HEADER")})',
    source: "https://requests.readthedocs.io/en/latest/user/quickstart/#custom-headers",
  },
  {
    name: "ASP.NET Core",
    carries: "key",
    line: 'services.AddHeaderPropagation(o => o.Headers.Add("HEADER")); app.UseHeaderPropagation(); services.AddHttpClient("name").AddHeaderPropagation();',
    source: "https://learn.microsoft.com/aspnet/core/fundamentals/http-requests#header-propagation-middleware",
  },
  {
    name: "nginx",
    carries: "key",
    line: "proxy_set_header HEADER $http_HEADER_VARIABLE;",
    source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header",
  },
  {
    name: "an Envoy of its own",
    carries: "key",
    line: "# it hands on every header, unless a route of its own has request_headers_to_remove: [HEADER]",
    source: "https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers",
  },
];

/** The lines for a header. */
export function stacksFor(header: string): Omit<Stack, "ownHeaderOnly">[] {
  const variable = header.replaceAll("-", "_");
  const fitting = stacks.filter(({ ownHeaderOnly }) => !(ownHeaderOnly && SHARED_HEADERS.includes(header)));
  return fitting.map(({ ownHeaderOnly: _, ...stack }) => ({
    ...stack,
    line: stack.line.replaceAll(HEADER_VARIABLE, variable).replaceAll(HEADER, header),
  }));
}
