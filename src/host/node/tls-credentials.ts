/** Certificates and keys, tried out before they are needed. */
import tls from "node:tls";
import type { TlsCredentials } from "../socket.ts";

/** Throws what OpenSSL has against them: a file that is no PEM, a key that belongs to another certificate. */
export function checkCredentials(credentials: TlsCredentials): void {
  tls.createSecureContext(credentials);
}
