import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { beforeAll } from "vitest";
import { nodeSockets } from "#src/host/node/sockets.ts";
import type { Sockets, TlsCredentials } from "#src/host/socket.ts";
import { realDriver } from "#test/contract/driver.ts";
import { describeSocketsContract } from "#test/contract/sockets.ts";

let credentials: TlsCredentials;

beforeAll(() => {
  const folder = mkdtempSync(`${tmpdir()}/tidemark-test-`);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", `${folder}/key`];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync("openssl", ["req", "-x509", ...key, ...names, "-days", "2", "-out", `${folder}/cert`], {
    stdio: "pipe",
  });
  credentials = { key: readFileSync(`${folder}/key`, "utf8"), cert: readFileSync(`${folder}/cert`, "utf8") };
  rmSync(folder, { recursive: true });
});

/** Every connection is put into TLS before anyone sees it. */
const securedSockets: Sockets = {
  secure: nodeSockets.secure,
  listen: (address, accepted) =>
    nodeSockets.listen(address, (connection) => {
      void nodeSockets.secure(connection, { role: "server", credentials, timeoutMs: 10_000 }).then(accepted);
    }),
  connect: async (address, timeoutMs) => {
    const connection = await nodeSockets.connect(address, timeoutMs);
    const ca = credentials.cert as string;
    return nodeSockets.secure(connection, { role: "client", credentials: { ca }, serverName: "localhost", timeoutMs });
  },
};

describeSocketsContract("the machine's sockets with TLS", () => ({
  sockets: securedSockets,
  driver: realDriver,
  tooMuchBytes: 16 * 1024 * 1024,
  address: { kind: "tcp", host: "127.0.0.1", port: 0 },
  deserted: { kind: "tcp", host: "127.0.0.1", port: 1 },
}));
