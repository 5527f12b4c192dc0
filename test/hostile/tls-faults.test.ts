import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createCertificates } from "#test/clients/certificates.ts";
import { clientFlags, goData, option, optionCode } from "./client-bytes.ts";
import { RawClient } from "./raw-client.ts";
import { ScriptedExport } from "./scripted-export.ts";
import { serve, until } from "./served.ts";

const pause = (ms: number) => new Promise((r) => setTimeout(r, ms));
async function creds() {
  const f = await mkdtemp(join(tmpdir(), "c-"));
  const c = await createCertificates(f);
  return { cert: await readFile(c.serverCertificateFile, "utf8"), key: await readFile(c.serverKeyFile, "utf8") };
}

test("garbage certificate", async () => {
  const { server, path } = await serve(new ScriptedExport(), {
    tls: { policy: "allow", credentials: { cert: "garbage", key: "garbage" } },
  });
  const c = await RawClient.greeted(path);
  c.send(Buffer.concat([clientFlags(), option(optionCode.startTls)]));
  await c.untilEnd();
  await until(() => server.connectionCount === 0);
}, 3000);

test("STARTTLS with replies unsent", async () => {
  const { server, path } = await serve(new ScriptedExport(), { tls: { policy: "allow", credentials: await creds() } });
  const c = await RawClient.greeted(path);
  c.stopReading();
  const many = Buffer.concat([
    clientFlags(),
    ...Array.from({ length: 45 }, () => option(optionCode.info, goData(Buffer.alloc(4000, 0xff)))),
    option(optionCode.startTls),
  ]);
  c.send(many);
  await pause(300);
  c.readAgain();
  let n = 0;
  for (;;) {
    const r = await c.optionReply();
    n++;
    if (r.option === 5) break;
  }
  expect(n).toBe(46);
  c.hangUp();
  await until(() => server.connectionCount === 0);
}, 5000);

test("close during the TLS handshake", async () => {
  const { server, path } = await serve(new ScriptedExport(), { tls: { policy: "allow", credentials: await creds() } });
  const c = await RawClient.greeted(path);
  c.send(Buffer.concat([clientFlags(), option(optionCode.startTls)]));
  await c.optionReply();
  const t = Date.now();
  await server.close(100);
  expect(Date.now() - t).toBeLessThan(2000);
}, 15000);
