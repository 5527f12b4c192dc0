/** Certificates for one run of a test file, made by openssl: an authority, a server, a client, and a stranger's client. */
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { succeed } from "./command.ts";

export interface Certificates {
  readonly authorityFile: string;
  readonly serverCertificateFile: string;
  readonly serverKeyFile: string;
  /** Folders as GnuTLS clients take them: ca-cert.pem, client-cert.pem, client-key.pem. */
  readonly clientFolder: string;
  /** Trusts the server, has no certificate of its own. */
  readonly namelessFolder: string;
  /** Trusts the server, has a certificate from an authority that the server does not know. */
  readonly strangerFolder: string;
  /** Trusts another authority than the server's. */
  readonly distrustfulFolder: string;
  /** Was vouched for by the server's authority, until yesterday. */
  readonly formerFolder: string;
}

interface Pair {
  readonly certificate: string;
  readonly key: string;
}

interface Request {
  readonly name: string;
  readonly extensions: readonly string[];
  readonly issuer?: Pair;
}

const authorityExtensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"];
const leafExtensions = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature"];
const serverExtensions = [
  ...leafExtensions,
  "extendedKeyUsage=serverAuth",
  "subjectAltName=DNS:localhost,IP:127.0.0.1",
];
const clientExtensions = [...leafExtensions, "extendedKeyUsage=clientAuth"];

async function issue(pair: Pair, { name, extensions, issuer }: Request): Promise<Pair> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", pair.key];
  const signing = issuer ? ["-CA", issuer.certificate, "-CAkey", issuer.key] : [];
  const details = ["-subj", `/CN=${name}`, "-days", "2", ...extensions.flatMap((line) => ["-addext", line])];
  await succeed("openssl", ["req", "-x509", ...key, ...signing, ...details, "-out", pair.certificate]);
  return pair;
}

/** `req` makes none that has ended. */
async function issueEnded(pair: Pair, issuer: Pair): Promise<void> {
  const request = `${pair.certificate}.request`;
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", pair.key];
  const extensions = clientExtensions.flatMap((line) => ["-addext", line]);
  await succeed("openssl", ["req", "-new", ...key, "-subj", "/CN=client", ...extensions, "-out", request]);
  const signing = ["-CA", issuer.certificate, "-CAkey", issuer.key, "-days", "-1", "-copy_extensions", "copy"];
  await succeed("openssl", ["x509", "-req", "-in", request, ...signing, "-out", pair.certificate]);
}

async function clientFolder(path: string, authority: Pair, issuer?: Pair): Promise<string> {
  await mkdir(path);
  await copyFile(authority.certificate, join(path, "ca-cert.pem"));
  const pair = { certificate: join(path, "client-cert.pem"), key: join(path, "client-key.pem") };
  if (issuer) await issue(pair, { name: "client", extensions: clientExtensions, issuer });
  return path;
}

async function formerFolder(path: string, authority: Pair): Promise<string> {
  await clientFolder(path, authority);
  await issueEnded({ certificate: join(path, "client-cert.pem"), key: join(path, "client-key.pem") }, authority);
  return path;
}

async function createAuthority(folder: string, name: string): Promise<Pair> {
  const pair = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}-key.pem`) };
  return issue(pair, { name, extensions: authorityExtensions });
}

export async function createCertificates(folder: string): Promise<Certificates> {
  const authority = await createAuthority(folder, "ca-cert");
  const other = await createAuthority(folder, "other-authority");
  const server = { certificate: join(folder, "server-cert.pem"), key: join(folder, "server-key.pem") };
  await issue(server, { name: "localhost", extensions: serverExtensions, issuer: authority });
  return {
    authorityFile: authority.certificate,
    serverCertificateFile: server.certificate,
    serverKeyFile: server.key,
    clientFolder: await clientFolder(join(folder, "client"), authority, authority),
    namelessFolder: await clientFolder(join(folder, "nameless"), authority),
    strangerFolder: await clientFolder(join(folder, "stranger"), authority, other),
    distrustfulFolder: await clientFolder(join(folder, "distrustful"), other, authority),
    formerFolder: await formerFolder(join(folder, "former"), authority),
  };
}
