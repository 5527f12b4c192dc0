/** Certificates and keys, tried out before they are needed. */
import type { TlsCredentials } from "../socket.ts";
import { tlsModule } from "./secure-modules.ts";

/** Throws what OpenSSL has against them: a file that is no PEM, a key that belongs to another certificate. */
export function checkCredentials(credentials: TlsCredentials): void {
  tlsModule().createSecureContext(credentials);
}
