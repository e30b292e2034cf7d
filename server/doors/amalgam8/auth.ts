// Who sends a request, and for which of Amalgam8's namespaces.
import { isForeignPage } from "../../api/pages.ts";
import { type Authenticator, everybody, type Role } from "../../auth/authenticator.ts";
import { A8Error } from "./errors.ts";
import { DEFAULT_NAMESPACE } from "./translate.ts";

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export interface Sender {
  /** For the log. */
  name: string;
  namespace: string;
}

/** Throws a A8Error for whoever may not. */
export async function admit(headers: Headers, role: Role, authenticator: Authenticator): Promise<Sender> {
  const token = tokenOf(headers);
  if (authenticator === everybody) {
    if (isForeignPage(headers.get("origin") ?? undefined)) {
      const message = "requests of web pages are refused where no tokens are needed; start the server with --tokens";
      throw new A8Error(403, "error_auth_not_authorized", message);
    }
    // Clients that have no token of their own may send this one.
    if (token !== undefined && token !== DEFAULT_NAMESPACE) {
      const message = `Authorization failure, invalid token: this server knows no tokens; send none, or "${DEFAULT_NAMESPACE}"`;
      throw new A8Error(401, "error_auth_not_authorized", message);
    }
    return { name: "anonymous", namespace: namespaceOf(headers, undefined) };
  }
  const principal = await authenticator.authenticate(token);
  if (principal === undefined)
    throw new A8Error(401, "error_auth_not_authorized", "Authorization failure, invalid token");
  if (!principal.may(role)) {
    if (token === undefined)
      throw new A8Error(401, "error_auth_header_missing", "Missing request Authorization header");
    throw new A8Error(403, "error_auth_not_authorized", `the token of ${principal.name} has no role ${role}`);
  }
  return { name: principal.name, namespace: namespaceOf(headers, principal.namespace) };
}

function tokenOf(headers: Headers): string | undefined {
  const header = headers.get("authorization");
  if (header === null) return undefined;
  const token = /^[Bb]earer +([\x21-\x7e]+)$/.exec(header)?.[1];
  if (token !== undefined) return token;
  const message = "Malformed request Authorization header, expecting Bearer Token";
  throw new A8Error(401, "error_auth_header_malformed", message);
}

/** The token's own, or that of the header. */
function namespaceOf(headers: Headers, own: string | undefined): string {
  const asked = headers.get("a8-namespace") || undefined;
  if (own !== undefined && asked !== undefined && asked !== own) {
    throw new A8Error(403, "error_auth_not_authorized", `this token is for the namespace ${own}, not for ${asked}`);
  }
  const namespace = own ?? asked ?? DEFAULT_NAMESPACE;
  if (NAMESPACE.test(namespace)) return namespace;
  const message = `A8-Namespace: expected the name of a namespace: lower case letters, digits and dashes`;
  throw new A8Error(400, "error_invalid_filter", message);
}
