// Who may do what.
import { type Authenticator, everybody, type Principal, type Role } from "../auth/authenticator.ts";
import { ApiError } from "./errors.ts";
import { isForeignPage } from "./pages.ts";

/** The headers of a request that say who sends it. */
export interface Credentials {
  authorization: string | undefined;
  origin: string | undefined;
}

const CHALLENGE = { "www-authenticate": 'Bearer realm="keyway"' };

/** Of requests that everybody may send. */
export const nobody: Principal = { name: "nobody", may: () => false, revoked: new AbortController().signal };

/** Who sends a request, if they have the role. Throws an ApiError otherwise. */
export async function admit(
  { authorization, origin }: Credentials,
  role: Role,
  authenticator: Authenticator,
): Promise<Principal> {
  const token = authorization === undefined ? undefined : /^Bearer +([\x21-\x7e]+)$/i.exec(authorization)?.[1];
  if (authenticator === everybody && isForeignPage(origin)) {
    throw new ApiError(
      403,
      "requests of web pages are refused where no tokens are needed; start the server with --tokens",
    );
  }
  const isOther = authorization !== undefined && token === undefined;
  const principal = isOther ? undefined : await authenticator.authenticate(token);
  if (principal === undefined) {
    throw new ApiError(401, "this token is not known; send one as authorization: Bearer TOKEN", { headers: CHALLENGE });
  }
  if (principal.may(role)) return principal;
  if (token !== undefined) throw new ApiError(403, `the token of ${principal.name} has no role ${role}`);
  throw new ApiError(401, `this needs a token with role ${role}; send it as authorization: Bearer TOKEN`, {
    headers: CHALLENGE,
  });
}
