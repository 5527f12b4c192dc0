/** TLS that does not come about, or at the wrong moment. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { nodeSockets } from "#src/host/node/sockets.ts";
import type { Sockets } from "#src/host/socket.ts";
import { createCertificates } from "#test/clients/certificates.ts";
import { temporaryFolder } from "#test/clients/harness.ts";
import { clientFlags, goData, option, optionCode } from "./client-bytes.ts";
import { RawClient } from "./raw-client.ts";
import { ScriptedExport } from "./scripted-export.ts";
import { serve, turn, until } from "./served.ts";

async function serveWithTls(sockets: Sockets = nodeSockets) {
  const { path } = await temporaryFolder();
  const { serverCertificateFile, serverKeyFile } = await createCertificates(path);
  const cert = await readFile(serverCertificateFile, "utf8");
  const key = await readFile(serverKeyFile, "utf8");
  return serve(new ScriptedExport(), { sockets, tls: { policy: "allow", credentials: { cert, key } } });
}

const startTls = Buffer.concat([clientFlags(), option(optionCode.startTls)]);

test("a server whose certificate is none hangs up on who asks for TLS", async () => {
  const { server, path } = await serve(new ScriptedExport(), {
    tls: { policy: "allow", credentials: { cert: "garbage", key: "garbage" } },
  });
  const client = await RawClient.greeted(path);
  client.send(startTls);
  await client.untilEnd();
  await until(() => server.connectionCount === 0);
});

test("STARTTLS is answered behind all replies that had not left yet", async () => {
  const { server, path } = await serveWithTls();
  const client = await RawClient.greeted(path);
  client.stopReading();
  const infoCount = 45;
  const info = option(optionCode.info, goData(Buffer.alloc(4000, 0xff)));
  client.send(Buffer.concat([clientFlags(), ...new Array<Buffer>(infoCount).fill(info), option(optionCode.startTls)]));
  // The server has read all that it wants to read before it is rid of its replies.
  for (let count = 0; count < 100; count++) await turn();
  client.readAgain();
  for (let count = 0; count < infoCount; count++) expect((await client.optionReply()).option).toBe(optionCode.info);
  expect((await client.optionReply()).option).toBe(optionCode.startTls);
  client.hangUp();
  await until(() => server.connectionCount === 0);
});

test("a server that is closed does not wait for a TLS handshake to end", async () => {
  // One that would wait for it never ends.
  const patient: Sockets = {
    ...nodeSockets,
    secure: (connection, options) => nodeSockets.secure(connection, { ...options, timeoutMs: 24 * 3_600_000 }),
  };
  const { server, path } = await serveWithTls(patient);
  const client = await RawClient.greeted(path);
  client.send(startTls);
  await client.optionReply();
  await server.close(100);
  expect(server.connectionCount).toBe(0);
});
