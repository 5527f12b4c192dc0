/** TLS with the clients' own library, GnuTLS: required or optional, with and without certificates of the clients. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Certificates, createCertificates } from "./certificates.ts";
import { refuse, succeed } from "./command.ts";
import { needPrograms, startServer, temporaryFolder, unixUri } from "./harness.ts";
import { createFullImage, createImage, fileHash, MiB } from "./image.ts";

needPrograms("openssl", "qemu-img", "nbdinfo", "nbdcopy");

let certificatesFolder: string;
let made: Promise<Certificates> | undefined;
let certificates: Certificates;

beforeAll(async () => {
  certificatesFolder = await mkdtemp(join(tmpdir(), "tidemark-certificates-"));
});

/** Made once, but not before it is sure that openssl is there. */
beforeEach(async () => {
  made ??= createCertificates(certificatesFolder);
  certificates = await made;
});

afterAll(() => rm(certificatesFolder, { recursive: true, force: true }));

function tlsOptions(): readonly string[] {
  return ["--tls-cert", certificates.serverCertificateFile, "--tls-key", certificates.serverKeyFile];
}

function clientTlsOptions(): readonly string[] {
  return [...tlsOptions(), "--tls-ca", certificates.authorityFile];
}

function tlsUri(socket: string, clientFolder: string): string {
  return `${unixUri(socket, "", "nbds+unix")}&tls-certificates=${clientFolder}`;
}

/** What qemu-img takes in place of a plain address. */
function qemuSource(port: string, clientFolder: string): readonly string[] {
  const credentials = `tls-creds-x509,id=tls0,endpoint=client,dir=${clientFolder}`;
  const address = `driver=nbd,host=127.0.0.1,port=${port},tls-creds=tls0,export=`;
  return ["--object", credentials, "--image-opts", address];
}

test("a client over TLS sees the export, and that it came by TLS", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 3 * MiB);
  const socket = folder.file("socket");
  await startServer(disk, ["--socket", socket, "--tls", "require", ...tlsOptions()]);
  const { stdout } = await succeed("nbdinfo", ["--json", tlsUri(socket, certificates.namelessFolder)]);
  expect(JSON.parse(stdout)).toMatchObject({ TLS: true, exports: [{ "export-size": 3 * MiB }] });
});

test("a client without TLS is refused where TLS is required, for opening and for listing", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 3 * MiB);
  const socket = folder.file("socket");
  await startServer(disk, ["--socket", socket, "--tls", "require", ...tlsOptions()]);
  await refuse("nbdinfo", ["--size", unixUri(socket)]);
  await refuse("nbdinfo", ["--list", unixUri(socket)]);
  await succeed("nbdinfo", ["--list", tlsUri(socket, certificates.namelessFolder)]);
});

test("TLS is required when a certificate is given and nothing else is said", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 3 * MiB);
  const socket = folder.file("socket");
  await startServer(disk, ["--socket", socket, ...tlsOptions()]);
  await refuse("nbdinfo", ["--size", unixUri(socket)]);
  await succeed("nbdinfo", ["--size", tlsUri(socket, certificates.namelessFolder)]);
});

test("where TLS is allowed, clients with and without it are served", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 3 * MiB);
  const socket = folder.file("socket");
  await startServer(disk, ["--socket", socket, "--tls", "allow", ...tlsOptions()]);
  const plain = await succeed("nbdinfo", ["--json", unixUri(socket)]);
  expect(JSON.parse(plain.stdout)).toMatchObject({ TLS: false });
  const secure = await succeed("nbdinfo", ["--json", tlsUri(socket, certificates.namelessFolder)]);
  expect(JSON.parse(secure.stdout)).toMatchObject({ TLS: true });
});

test("a server without a certificate refuses a client that insists on TLS", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 3 * MiB);
  const socket = folder.file("socket");
  await startServer(disk, ["--socket", socket]);
  await refuse("nbdinfo", ["--size", tlsUri(socket, certificates.namelessFolder)]);
  await succeed("nbdinfo", ["--size", unixUri(socket)]);
});

test("nbdcopy moves a disk in and out over four TLS connections", async () => {
  const folder = await temporaryFolder();
  const source = await createFullImage(folder.file("source"), 24 * MiB);
  const disk = await createImage(folder.file("disk"), 24 * MiB);
  const socket = folder.file("socket");
  await startServer(disk, ["--socket", socket, "--tls", "require", ...tlsOptions()]);
  const uri = tlsUri(socket, certificates.namelessFolder);
  await succeed("nbdcopy", ["--connections=4", "--flush", source, uri]);
  await succeed("nbdcopy", ["--connections=4", uri, folder.file("copy")]);
  expect(await fileHash(disk)).toBe(await fileHash(source));
  expect(await fileHash(folder.file("copy"))).toBe(await fileHash(source));
});

test("qemu-img moves a disk out over TLS and TCP, and shows its own certificate", async () => {
  const folder = await temporaryFolder();
  const disk = await createFullImage(folder.file("disk"), 12 * MiB);
  const server = await startServer(disk, ["--port", "0", "--tls", "require", ...clientTlsOptions()]);
  const source = qemuSource(new URL(server.uri).port, certificates.clientFolder);
  await succeed("qemu-img", ["convert", "-O", "raw", ...source, folder.file("copy")]);
  expect(await fileHash(folder.file("copy"))).toBe(await fileHash(disk));
});

test("fault 40: where clients need a certificate, only those of the right authority get in", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 3 * MiB);
  const socket = folder.file("socket");
  await startServer(disk, ["--socket", socket, "--tls", "require", ...clientTlsOptions()]);
  await refuse("nbdinfo", ["--size", tlsUri(socket, certificates.namelessFolder)]);
  await refuse("nbdinfo", ["--size", tlsUri(socket, certificates.strangerFolder)]);
  await succeed("nbdinfo", ["--size", tlsUri(socket, certificates.clientFolder)]);
});

/** libnbd checks the server's certificate over TCP only. */
test("a client that does not trust the server goes away, and the next is served", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 3 * MiB);
  const server = await startServer(disk, ["--port", "0", "--tls", "require", ...tlsOptions()]);
  const address = `nbds://127.0.0.1:${new URL(server.uri).port}/?tls-certificates=`;
  const { stderr } = await refuse("nbdinfo", ["--size", `${address}${certificates.distrustfulFolder}`]);
  expect(stderr).toContain("certificate verification");
  await succeed("nbdinfo", ["--size", `${address}${certificates.namelessFolder}`]);
});
