/** The API's certificate, renewed under a server that goes on: files, handshakes and connections are real. */
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ApiCertificate } from "#src/control/http/api-certificate.ts";
import { certificateLookMs } from "#src/core/http-limits.ts";
import { boundedServer, listenOn, showCertificate } from "#src/host/node/bounded-server.ts";
import { createCertificates } from "#test/clients/certificates.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { onceForFile } from "#test/once-for-file.ts";
import { whenSeen } from "#test/patience.ts";
import { Simulation } from "#test/sim/simulation.ts";

needPrograms("openssl");

/** One before a renewal, and one after it, each with its authority. */
const pairs = onceForFile((outlast) =>
  Promise.all([temporaryFolder(outlast), temporaryFolder(outlast)].map(createCertificates)),
);

async function serving() {
  const [first, second] = await pairs();
  if (first === undefined || second === undefined) throw new Error("there are two");
  const folder = temporaryFolder();
  const files = { certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") };
  /** As certbot does: nobody ever sees half a file. */
  const put = (file: string, source: string) => {
    copyFileSync(source, `${file}.new`);
    renameSync(`${file}.new`, file);
  };
  put(files.certFile, first.serverCertificateFile);
  put(files.keyFile, first.serverKeyFile);
  const timers: { readonly delayMs: number; readonly callback: () => void }[] = [];
  const timer = (delayMs: number, callback: () => void) => {
    timers.push({ delayMs, callback });
    return { cancel: () => {} };
  };
  const certificate = new ApiCertificate({ files, clock: { timer }, log: new Simulation(1).host("a").log });
  const server = boundedServer((_, response) => response.end("here"), certificate.shown);
  const listener = await listenOn(server, "127.0.0.1", 0);
  certificate.begin((tls) => showCertificate(server, tls));
  onTestFinished(async () => {
    certificate.close();
    await listener.close();
  });
  /** Over a connection of its own unless told. */
  const ask = (authorityFile: string, agent: https.Agent | false = false) =>
    new Promise<string>((resolve, reject) => {
      const options = { host: "127.0.0.1", port: listener.port, ca: readFileSync(authorityFile), agent };
      https
        .get(options, (response) => response.setEncoding("utf8").on("data", resolve))
        .on("error", ({ message }) => reject(new Error(message)));
    });
  return { first, second, files, put, certificate, timers, ask };
}

test("who connects after a renewal is shown the new one, and who is connected is served on", async () => {
  const { first, second, files, put, certificate, ask } = await serving();
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  expect(await ask(first.authorityFile, agent)).toBe("here");
  await expect(ask(second.authorityFile)).rejects.toThrow("certificate");
  put(files.certFile, second.serverCertificateFile);
  put(files.keyFile, second.serverKeyFile);
  await certificate.look();
  expect(await ask(second.authorityFile)).toBe("here");
  await expect(ask(first.authorityFile)).rejects.toThrow("certificate");
  expect(await ask(first.authorityFile, agent)).toBe("here");
  expect([certificate.shown?.cert, certificate.troubles]).toEqual([readFileSync(files.certFile, "utf8"), []]);
});

test("files that do not fit leave the one before in force, and that is told when they still do not at the next look", async () => {
  const { first, second, files, put, certificate, ask } = await serving();
  put(files.certFile, second.serverCertificateFile);
  await certificate.look();
  expect(certificate.troubles).toEqual([]);
  await certificate.look();
  const told =
    /^the control API still shows its certificate of before: http\.tls cannot be used: .*; when that is mended/;
  expect(certificate.troubles).toEqual([expect.stringMatching(told)]);
  expect(await ask(first.authorityFile)).toBe("here");
  put(files.keyFile, second.serverKeyFile);
  await certificate.look();
  expect(certificate.troubles).toEqual([]);
  expect(await ask(second.authorityFile)).toBe("here");
});

test.each([
  ["is gone", (file: string) => rmSync(file), /http\.tls\.keyFile .* cannot be read: /],
  ["holds something else", (file: string) => writeFileSync(file, "none\n"), /http\.tls\.keyFile .* holds no PEM text/],
])("a key that %s is told of, and no longer when it is what it was", async (_, spoil, told) => {
  const { first, files, put, certificate, ask } = await serving();
  spoil(files.keyFile);
  for (let looks = 0; looks < 2; looks++) await certificate.look();
  expect(certificate.troubles).toEqual([expect.stringMatching(told)]);
  expect(await ask(first.authorityFile)).toBe("here");
  put(files.keyFile, first.serverKeyFile);
  await certificate.look();
  expect(certificate.troubles).toEqual([]);
});

test("whoever orders it has it at once, also from files of other names, and hears at once what does not fit", async () => {
  const { first, second, files, certificate, ask } = await serving();
  expect(certificate.take(files)).toEqual([]);
  const mixed = { certFile: files.certFile, keyFile: second.serverKeyFile };
  expect(() => certificate.take(mixed)).toThrow("http.tls cannot be used: ");
  expect(await ask(first.authorityFile)).toBe("here");
  // What is wrong with files that are not in force is no trouble of those that are.
  expect(certificate.troubles).toEqual([]);
  const other = { certFile: second.serverCertificateFile, keyFile: second.serverKeyFile };
  expect(certificate.take(other)).toEqual(["http.tls.certFile", "http.tls.keyFile"]);
  expect(await ask(second.authorityFile)).toBe("here");
  await certificate.look();
  expect(await ask(second.authorityFile)).toBe("here");
});

test("the files are looked at again and again", async () => {
  const { second, files, put, timers, ask } = await serving();
  expect(timers.map(({ delayMs }) => delayMs)).toEqual([certificateLookMs]);
  put(files.certFile, second.serverCertificateFile);
  put(files.keyFile, second.serverKeyFile);
  timers[0]?.callback();
  await whenSeen(() => expect(timers).toHaveLength(2));
  expect(await ask(second.authorityFile)).toBe("here");
});
