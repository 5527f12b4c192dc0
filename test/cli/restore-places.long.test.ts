/** Where points are restored to and views attached besides plain files: over TLS, onto block devices, from an encrypted store. */
import { readFileSync, writeFileSync } from "node:fs";
import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { JobReport } from "#src/control/job.ts";
import type { RestoreReport } from "#src/control/restore-control.ts";
import type { ViewFacts } from "#src/control/view.ts";
import { MiB } from "#src/core/limits.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeSockets } from "#src/host/node/sockets.ts";
import { connect } from "#src/nbd/client/connect.ts";
import { parseNbdUri } from "#src/nbd/uri.ts";
import { loopObstacle } from "#test/clients/attached-disk.ts";
import { type Certificates, createCertificates } from "#test/clients/certificates.ts";
import { succeed } from "#test/clients/command.ts";
import { needPrograms, skipWhere, startServer } from "#test/clients/harness.ts";
import { loopDeviceOver } from "#test/clients/loop-device.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { filesUnder } from "#test/oracle/log-file-reader.ts";
import { whenSeen } from "#test/patience.ts";
import { RunningProgram } from "./running-program.ts";

needPrograms("openssl", "nbdcopy", "losetup");
skipWhere(loopObstacle);

const sizeBytes = 8 * MiB;
const words = Buffer.from("written by the host of this test");

function withCertificates(uri: string, folder: string): string {
  return `${uri}${uri.includes("?") ? "&" : "?"}tls-certificates=${folder}`;
}

/** As a host whose certificate the program knows. */
function attached(uri: string, { clientFolder }: Certificates) {
  const { address, exportName } = parseNbdUri(uri);
  const read = (name: string) => readFileSync(join(clientFolder, name), "utf8");
  const tls = { ca: read("ca-cert.pem"), cert: read("client-cert.pem"), key: read("client-key.pem") };
  return connect({ address, exportName, tls, sockets: nodeSockets, clock: nodeClock });
}

/** A program whose store is encrypted and whose exports want certificates, and two moments of a volume. */
async function securedHistory() {
  const folder = temporaryFolder();
  const certificates = await createCertificates(folder);
  const keyFile = join(folder, "store.key");
  writeFileSync(keyFile, "ab".repeat(32));
  const tls = [
    `nbd.tls.certFile=${certificates.serverCertificateFile}`,
    `nbd.tls.keyFile=${certificates.serverKeyFile}`,
    `nbd.tls.caFile=${certificates.authorityFile}`,
  ];
  const settings = [`store.keyFile=${keyFile}`, "store.sealAfterSeconds=1", ...tls];
  const data = join(folder, "data");
  const up = await RunningProgram.start("up", data, ...settings.flatMap((setting) => ["--set", setting]));
  const source = join(folder, "disk.img");
  const { uris } = (await up.asked("volume", "add", "disk", "--source", source, "--size", "8M")) as VolumeReport;
  const uri = uris[0] as string;
  const client = await attached(uri, certificates);
  for (let block = 0; block < 64; block++) {
    const bytes = Buffer.alloc(4096, 1 + block);
    words.copy(bytes);
    await client.write(block * 16_384, bytes);
  }
  await client.flush();
  await up.asked("mark", "disk", "--name", "early");
  const early = readFileSync(source);
  await client.write(32_768, Buffer.alloc(8192, 0xee));
  await client.trim(0, 4096);
  await client.flush();
  await client.disconnect();
  await whenSeen(async () => {
    const [group] = (await up.status()).remoteGroups;
    expect(group?.stored).toBeGreaterThan(64);
  });
  return { up, folder, data, uri, source, early, late: readFileSync(source), certificates };
}

test("points of an encrypted store are restored onto a block device, and over TLS, with certificates and without", async () => {
  const { up, folder, data, early, certificates } = await securedHistory();
  for (const path of filesUnder(join(data, "remote/objects"))) expect(readFileSync(path).includes(words)).toBe(false);
  const behind = join(folder, "device.img");
  writeFileSync(behind, "");
  await truncate(behind, sizeBytes + MiB);
  const device = await loopDeviceOver(behind);
  // Nobody knows of a device that it holds nothing before all of it was read.
  const refused = await up.typed("restore", "disk@mark:early", "--to", device);
  expect(refused.stdout).toContain("--overwrite says that it may go");
  const job = (await up.asked("restore", "disk@mark:early", "--to", device, "--overwrite")) as JobReport;
  expect(job.result).toMatchObject({ isSound: true, lines: [], figures: { verifiedBytes: sizeBytes } });
  expect(readFileSync(behind).subarray(0, sizeBytes).equals(early)).toBe(true);
  const server = ["--tls", "require", "--tls-cert", certificates.serverCertificateFile];
  for (const [name, folderOf, options] of [
    ["nameless", certificates.namelessFolder, []],
    ["named", certificates.clientFolder, ["--tls-ca", certificates.authorityFile]],
  ] as const) {
    const path = join(folder, `${name}.img`);
    writeFileSync(path, "");
    await truncate(path, sizeBytes);
    const secured = [...server, "--tls-key", certificates.serverKeyFile, ...options];
    const { uri } = await startServer(path, ["--port", "0", ...secured]);
    const plain = await up.typed("restore", "disk@mark:early", "--to", uri.replace("nbds", "nbd"));
    expect([plain.exitCode, plain.stdout]).toEqual([1, expect.stringMatching(/TLS/)]);
    const secure = withCertificates(uri, folderOf);
    expect((await up.asked("restore", "disk@mark:early", "--to", secure)) as JobReport).toMatchObject({
      state: "done",
    });
    expect(readFileSync(path).equals(early)).toBe(true);
  }
});

test("a volume whose hosts need certificates is brought back to a point, and its views want the same certificates", async () => {
  const { up, folder, source, early, certificates } = await securedHistory();
  const view = (await up.asked("view", "open", "disk@mark:early", "--writable", "--name", "mine")) as ViewFacts;
  const copy = join(folder, "copy.img");
  await succeed("nbdcopy", [withCertificates(view.uri, certificates.clientFolder), copy]);
  expect(readFileSync(copy).equals(early)).toBe(true);
  const client = await attached(view.uri, certificates);
  await client.write(4096, Buffer.alloc(4096, 0x55));
  await client.disconnect();
  const promoted = join(folder, "promoted.img");
  await up.asked("view", "promote", "mine", "second", "--source", promoted);
  const expected = Buffer.from(early);
  expected.fill(0x55, 4096, 8192);
  expect(readFileSync(promoted).equals(expected)).toBe(true);
  const order = ["restore", "disk@mark:early", "--to", source, "--confirm", "disk"];
  expect((await up.asked(...order)) as RestoreReport).toMatchObject({ state: "done", result: { isSound: true } });
  expect(readFileSync(source).equals(early)).toBe(true);
});
