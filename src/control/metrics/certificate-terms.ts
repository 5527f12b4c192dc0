/** When the certificates that others are shown come to their end. */
import { X509Certificate } from "node:crypto";
import type { TlsCredentials } from "#src/host/socket.ts";
import type { CertificateTerm } from "./metrics-snapshot.ts";

type Credentials = Readonly<Record<CertificateTerm["use"], TlsCredentials | undefined>>;

/** Of a file with several certificates the first counts: it is the one's own, and the others are those that signed it. */
export function certificateTerms(credentials: Credentials): readonly CertificateTerm[] {
  return (["nbd", "wire", "http"] as const).flatMap((use) => {
    const cert = credentials[use]?.cert;
    return cert === undefined ? [] : [{ use, endsMs: Date.parse(new X509Certificate(cert).validTo) }];
  });
}
