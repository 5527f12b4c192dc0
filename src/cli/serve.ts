/** `tidemark serve`: a plain NBD server over a file, unprotected. */
import { isLoopback } from "#src/control/listening-address.ts";
import { shutdownGraceMs, unixPathBytesMax } from "#src/core/limits.ts";
import { nbdNameBytesMax } from "#src/core/nbd-limits.ts";
import { inheritedSocket } from "#src/host/node/inherited-socket.ts";
import { readTextFile } from "#src/host/node/text-file.ts";
import { checkCredentials } from "#src/host/node/tls-credentials.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import { defaultPort } from "#src/nbd/constants.ts";
import type { TlsPolicy } from "#src/nbd/handshake.ts";
import type { ServerEvent } from "#src/nbd/server-context.ts";
import { type Command, parseCommandLine, UsageError, wholeNumber } from "./command.ts";
import { explainFile } from "./failure.ts";
import { openServed, reportAsText, type Serving, startServing } from "./serving.ts";

const help = `Usage: tidemark serve FILE [OPTION ...]

Serves a file or a block device, as the raw bytes that it is, over NBD, unprotected: to try, to compare, to measure.
A second server may serve it at the same time only with --read-only.

  --socket PATH    listen on a Unix socket
  --port N         listen on a TCP port (${defaultPort} unless told otherwise; 0 lets the system choose)
  --host ADDRESS   with --port: where to listen (127.0.0.1); anything but loopback wants --tls require and --tls-ca
  --name NAME      the export's name (empty)
  --read-only      refuse all writes
  --tls-cert FILE  with --tls-key: offer TLS with this certificate (PEM)
  --tls-key FILE   the certificate's private key (PEM)
  --tls-ca FILE    let in only clients whose certificate this authority signed (PEM)
  --tls POLICY     require (as soon as there is a certificate) or allow
  --insecure-bind  listen beyond loopback although anybody there could then read and write
  --json           say where it listens, which clients attach, and which were dropped and why, as JSON lines
  --help           this text

Without --socket and --port, a socket handed over by the service manager is used.
Ends on SIGTERM or SIGINT: answers what it was asked, syncs the file, and hangs up after ${shutdownGraceMs / 1000} s.

Example:
  truncate -s 1G disk.img
  tidemark serve disk.img --socket /tmp/disk.sock
  qemu-img info 'nbd+unix:///?socket=/tmp/disk.sock'      # in another terminal
`;

const optionTypes = {
  socket: { type: "string" },
  port: { type: "string" },
  host: { type: "string" },
  name: { type: "string" },
  "read-only": { type: "boolean" },
  "tls-cert": { type: "string" },
  "tls-key": { type: "string" },
  "tls-ca": { type: "string" },
  tls: { type: "string" },
  "insecure-bind": { type: "boolean" },
  json: { type: "boolean" },
} as const;

type Values = ReturnType<typeof parseServe>["values"];

function parseServe(args: readonly string[]) {
  return parseCommandLine(args, optionTypes);
}

export const serveCommand: Command = {
  name: "serve",
  summary: "serve a file or a block device over NBD, unprotected",
  help,
  run: serve,
};

async function serve(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseServe(args);
  const [file, ...more] = positionals;
  if (file === undefined || file === "" || more.length > 0)
    throw new UsageError("serve takes one FILE; 'tidemark serve --help' tells more");
  const name = values.name ?? "";
  if (Buffer.byteLength(name) > nbdNameBytesMax) throw new UsageError(`--name has at most ${nbdNameBytesMax} bytes`);
  const tls = tlsOf(values);
  const address = addressOf(values, tls);
  const device = openServed(file, values["read-only"] ?? false);
  const serving: Serving = {
    device,
    exportName: name,
    description: file,
    address,
    report: values.json ? reportAsJson : reportAsText,
    ...(tls === undefined ? {} : { tls }),
  };
  const started = await startServing(serving);
  // Whoever handed the socket over knows where it is, and may have a use of its own for stdout.
  const out = address.kind === "inherited" ? process.stderr : process.stdout;
  if (values.json) out.write(`${JSON.stringify({ uri: started.uri, sizeBytes: device.sizeBytes })}\n`);
  else out.write(`serving ${file} (${device.sizeBytes} bytes) at ${started.uri}\n`);
  if (device.sizeBytes === 0) process.stderr.write(`${file} is empty: clients will see a disk of 0 bytes\n`);
  await started.ended;
  return 0;
}

function tlsOf(values: Values): Serving["tls"] {
  const certFile = values["tls-cert"];
  const keyFile = values["tls-key"];
  const caFile = values["tls-ca"];
  if (certFile === undefined || keyFile === undefined) {
    if (certFile !== keyFile) throw new UsageError("--tls-cert and --tls-key belong together");
    if (caFile !== undefined || values.tls !== undefined) throw new UsageError("TLS needs --tls-cert and --tls-key");
    return undefined;
  }
  const policy = values.tls ?? "require";
  if (policy !== "require" && policy !== "allow") throw new UsageError(`--tls is require or allow, not '${policy}'`);
  const credentials = {
    cert: pemOf("--tls-cert", certFile),
    key: pemOf("--tls-key", keyFile),
    ...(caFile === undefined ? {} : { ca: pemOf("--tls-ca", caFile) }),
  };
  try {
    checkCredentials(credentials);
  } catch (error) {
    throw new Error(`the certificate and key cannot be used: ${(error as Error).message}`, { cause: error });
  }
  return { policy: policy satisfies TlsPolicy, credentials };
}

function pemOf(option: string, file: string): string {
  try {
    const text = readTextFile(file);
    // What has no such line is read as no certificates at all, and every client would be turned away.
    if (text.includes("-----BEGIN ")) return text;
  } catch (error) {
    throw explainFile(error, `${option} ${file}`);
  }
  throw new Error(`${option} ${file} holds no PEM text ("-----BEGIN …")`);
}

function addressOf(values: Values, tls: Serving["tls"]): SocketAddress {
  if (values.socket !== undefined) {
    const length = Buffer.byteLength(values.socket);
    if (length === 0 || length > unixPathBytesMax)
      throw new UsageError(`--socket takes a path of 1 to ${unixPathBytesMax} bytes`);
    if (values.port !== undefined || values.host !== undefined)
      throw new UsageError("choose between --socket and --port");
    return { kind: "unix", path: values.socket };
  }
  const inherited = values.port === undefined && values.host === undefined ? inheritedSocket() : undefined;
  if (inherited !== undefined) return inherited;
  const host = values.host ?? "127.0.0.1";
  const guarded = tls?.policy === "require" && tls.credentials.ca !== undefined;
  if (!isLoopback(host) && !guarded && !values["insecure-bind"]) {
    throw new UsageError(`on ${host} anybody could read and write: add --tls require and --tls-ca, or --insecure-bind`);
  }
  const port = wholeNumber(values.port ?? String(defaultPort), "--port", { min: 0, max: 65535 });
  return { kind: "tcp", host, port };
}

function reportAsJson(event: ServerEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
