import { execFileSync } from "node:child_process";
import { createPrivateKey, randomUUID, sign, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Server } from "../registry/listening.ts";

export interface TokenService extends Server {
  /** The section `auth` of a registry's configuration that trusts this service. */
  auth: Record<string, unknown>;
  /** The scopes of every token that was given out. */
  scopes: string[][];
  /** How many of the next tokens are expired when they are given out. */
  expired: number;
}

/** A certificate of its own and its key, in PEM; `folder` keeps them. */
export function selfSigned(folder: string): { key: string; cert: string; certFile: string } {
  const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const subject = ["-subj", "/CN=127.0.0.1", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...curve, ...subject, "-keyout", keyFile, "-out", certFile], {
    stdio: "ignore",
  });
  return { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8"), certFile };
}

/** Gives whoever knows `alice` and her password, or her refresh token, the tokens that the reference registry wants. */
export async function startTokenService(folder: string, password: string, refreshToken: string): Promise<TokenService> {
  const { key, cert, certFile } = selfSigned(folder);
  const issuer = "test";
  const server = createServer((request, response) => {
    let form = "";
    request.on("data", (piece) => {
      form += piece;
    });
    request.on("end", () => {
      const url = new URL(request.url ?? "", "http://service");
      const asked = request.method === "POST" ? new URLSearchParams(form) : url.searchParams;
      const basic = `Basic ${Buffer.from(`alice:${password}`).toString("base64")}`;
      const known =
        request.method === "POST"
          ? asked.get("refresh_token") === refreshToken
          : request.headers.authorization === basic;
      if (!known) return void response.writeHead(401).end();
      const scopes = asked.getAll("scope").flatMap((scope) => scope.split(" "));
      service.scopes.push(scopes);
      const life = service.expired-- > 0 ? -120 : 300;
      response.end(JSON.stringify({ token: tokenFor(scopes, life, issuer, cert, key) }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const service: TokenService = {
    host,
    auth: { token: { realm: `http://${host}/token`, service: "registry", issuer, rootcertbundle: certFile } },
    scopes: [],
    expired: 0,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return service;
}

function tokenFor(scopes: string[], life: number, iss: string, cert: string, key: string): string {
  const now = Math.floor(Date.now() / 1000);
  const access = scopes.map((scope) => {
    const [type, name, actions = ""] = scope.split(":");
    return { type, name, actions: actions.split(",") };
  });
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const header = { typ: "JWT", alg: "ES256", x5c: [new X509Certificate(cert).raw.toString("base64")] };
  const claims = {
    iss,
    sub: "alice",
    aud: "registry",
    exp: now + life,
    nbf: now - 300,
    iat: now,
    jti: randomUUID(),
    access,
  };
  const signed = `${part(header)}.${part(claims)}`;
  const signature = sign("sha256", Buffer.from(signed), { key: createPrivateKey(key), dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}
