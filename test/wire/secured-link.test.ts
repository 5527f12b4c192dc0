/** A group's link over the machine's own sockets: plain, over a Unix socket, and with TLS and certificates both ways. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { nodeClock } from "#src/host/node/clock.ts";
import { openLog } from "#src/host/node/log.ts";
import { nodeRandomness } from "#src/host/node/randomness.ts";
import { nodeSockets } from "#src/host/node/sockets.ts";
import type { SocketAddress, TlsCredentials } from "#src/host/socket.ts";
import type { DialTls } from "#src/wire/dial.ts";
import { GroupLinkClient } from "#src/wire/group-link-client.ts";
import { GroupLinkServer } from "#src/wire/group-link-server.ts";
import { createCertificates } from "#test/clients/certificates.ts";
import { realDriver } from "#test/contract/driver.ts";
import { piecesOf } from "#test/contract/socket-pair.ts";
import { RecordingOwner, RecordingSessions, token } from "./group-world.ts";

interface Credentials {
  readonly server: TlsCredentials;
  readonly client: DialTls;
  readonly stranger: DialTls;
  readonly distrustful: DialTls;
  readonly former: DialTls;
  readonly nameless: DialTls;
}

let credentials: Credentials;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-test-"));
  const made = await createCertificates(folder);
  const read = (path: string): string => readFileSync(path, "utf8");
  const clientOf = (path: string): DialTls => ({
    ca: read(join(path, "ca-cert.pem")),
    cert: read(join(path, "client-cert.pem")),
    key: read(join(path, "client-key.pem")),
  });
  credentials = {
    server: {
      cert: read(made.serverCertificateFile),
      key: read(made.serverKeyFile),
      ca: read(made.authorityFile),
    },
    client: clientOf(made.clientFolder),
    stranger: clientOf(made.strangerFolder),
    distrustful: clientOf(made.distrustfulFolder),
    former: clientOf(made.formerFolder),
    nameless: { ca: read(join(made.namelessFolder, "ca-cert.pem")) },
  };
  rmSync(folder, { recursive: true });
});

async function link(address: SocketAddress, tls?: { server: TlsCredentials; client: DialTls }) {
  const lines: string[] = [];
  const log = openLog({ level: "debug", format: "text", clock: nodeClock, write: (line) => lines.push(line) });
  const ports = { sockets: nodeSockets, clock: nodeClock, randomness: nodeRandomness, log, token };
  const [sessions, owner] = [new RecordingSessions(), new RecordingOwner()];
  const server = new GroupLinkServer({ ...ports, ...(tls && { tls: tls.server }) }, sessions);
  const bound = await server.listen(address);
  const client = new GroupLinkClient({ ...ports, address: bound, ...(tls && { tls: tls.client }) }, owner);
  onTestFinished(async () => {
    await client.stop();
    await server.close();
  });
  client.start();
  return { sessions, owner, server, client, lines };
}

type RealLink = Awaited<ReturnType<typeof link>>;

async function shipAll({ client, sessions, owner }: RealLink, pieces: readonly Buffer[]): Promise<void> {
  await realDriver.until(() => client.mayShipBytes > 0);
  let count = 0;
  const shipOn = (): void => {
    while (count < pieces.length && client.mayShipBytes > 0) {
      const piece = pieces[count++] as Buffer;
      client.ship([piece]);
    }
  };
  owner.onMayShip = shipOn;
  shipOn();
  const bytes = Buffer.concat(pieces);
  const { last } = sessions;
  let receivedBytes = 0;
  last.onBatches = (body) => {
    receivedBytes += body.length;
    if (receivedBytes === bytes.length) last.session.sendWatermarks({ received: count, durable: 0, stored: 0 });
  };
  await realDriver.until(() => owner.marks.length > 0);
  expect(last.bytes.equals(bytes)).toBe(true);
}

const pieces = piecesOf(5, [512, 1_000_000, 4096, 3_000_000, 512, 200_000, 2_000_000]);
const loopback = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;

test("batches and watermarks pass over TCP", async () => {
  await shipAll(await link(loopback), pieces);
});

test("batches and watermarks pass over a Unix socket", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await shipAll(await link({ kind: "unix", path: join(folder, "link") }), pieces);
});

test("batches and watermarks pass over TLS, with certificates both ways", async () => {
  await shipAll(await link(loopback, credentials), pieces);
});

test.each([
  ["nobody vouches for", "stranger", /nobody who is trusted here vouches for its certificate \(UNABLE_TO_/],
  ["has expired", "former", /its certificate has expired/],
  ["is none", "nameless", /it has shown no certificate/],
] as const)(
  "fault 40: a local appliance whose certificate %s does not get in, and it is said why",
  async (_, who, why) => {
    const it = await link(loopback, { server: credentials.server, client: credentials[who] });
    await realDriver.until(() => it.lines.some((line) => line.includes("a peer was turned away")));
    expect(it.lines.find((line) => line.includes("a peer was turned away"))).toMatch(why);
    expect(it.sessions.opened).toEqual([]);
    expect(it.owner.events).not.toContain("up");
  },
);

test("fault 40: a remote whose certificate nobody vouches for gets no hello", async () => {
  const it = await link(loopback, { server: credentials.server, client: credentials.distrustful });
  await realDriver.until(() => it.lines.some((line) => line.includes("no TLS with")));
  expect(it.sessions.opened).toEqual([]);
  expect(it.owner.events).not.toContain("hello");
});
