/** The control API behind TLS and a token, as it must be beyond loopback. */
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createCertificates } from "#test/clients/certificates.ts";
import { run } from "#test/clients/command.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { whenSeen } from "#test/patience.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { launcher, RunningProgram } from "./running-program.ts";

needPrograms("openssl");

/** As a container looks after itself. Answers the exit status. */
async function lookOfContainer(port: string): Promise<number | null> {
  const file = readFileSync(join(projectRoot, "deploy/container/Containerfile"), "utf8");
  const [, command = "[]"] = /^HEALTHCHECK .*\n +CMD (\[.*\])$/m.exec(file) ?? [];
  const [, ...words] = JSON.parse(command) as string[];
  const environment = { TIDEMARK_HTTP_HOST: "0.0.0.0", TIDEMARK_HTTP_PORT: port };
  return (await run(process.execPath, words, { environment })).exitCode;
}

test("it answers who trusts it and shows the token, and nobody else", async () => {
  const folder = temporaryFolder();
  const { authorityFile, serverCertificateFile, serverKeyFile } = await createCertificates(folder);
  const tokenFile = join(folder, "token");
  const otherFile = join(folder, "other");
  writeFileSync(tokenFile, "0123456789abcdef0123456789abcdef\n");
  writeFileSync(otherFile, "another-token-altogether\n");
  const settings = [
    "http.host=0.0.0.0",
    `http.tls.certFile=${serverCertificateFile}`,
    `http.tls.keyFile=${serverKeyFile}`,
    `http.tokenFile=${tokenFile}`,
  ];
  const up = await RunningProgram.start("up", join(folder, "data"), ...settings.flatMap((one) => ["--set", one]));
  const api = up.api.replace("0.0.0.0", "127.0.0.1");
  const ls = (...more: readonly string[]) => up.typed("volume", "ls", ...more, "--api", api);
  const trusting = ["--api-ca", authorityFile];
  expect(await ls(...trusting, "--token-file", tokenFile)).toMatchObject({ exitCode: 0, stderr: "" });
  expect((await ls(...trusting, "--token-file", otherFile)).stderr).toContain("the token is not known");
  expect((await ls(...trusting)).stderr).toContain("a token is needed");
  expect((await ls("--token-file", tokenFile)).stderr).toMatch(/no answer from .*certificate/);
  const plain = await up.typed("volume", "ls", "--api", api.replace("https", "http"));
  expect([plain.exitCode, plain.stderr]).toEqual([1, expect.stringContaining("the URL begins with https://")]);
  const { port } = new URL(api);
  expect(await lookOfContainer(port)).toBe(0);
  expect(up.program.stderr).not.toContain("0123456789abcdef");
  await up.program.stop();
  expect(await lookOfContainer(port)).toBe(1);
  const plainUp = await RunningProgram.start("up", join(folder, "plain"));
  expect(await lookOfContainer(new URL(plainUp.api).port)).toBe(0);
});

test("a renewed certificate is shown after a reload, and one that does not fit its key changes nothing", async () => {
  const folder = temporaryFolder();
  const renewed = join(folder, "renewed");
  mkdirSync(renewed);
  const [first, second] = [await createCertificates(folder), await createCertificates(renewed)];
  const { serverCertificateFile: certFile, serverKeyFile: keyFile } = first;
  const put = (file: string, source: string) => {
    copyFileSync(source, `${file}.new`);
    renameSync(`${file}.new`, file);
  };
  const tls = [`http.tls.certFile=${certFile}`, `http.tls.keyFile=${keyFile}`].flatMap((one) => ["--set", one]);
  const up = await RunningProgram.start("remote", join(folder, "data"), ...tls, "--set", "wire.port=0");
  const reloaded = async (said: string) => {
    process.kill(up.program.processId, "SIGHUP");
    await whenSeen(() => expect(up.program.stderr).toContain(said));
  };
  put(certFile, second.serverCertificateFile);
  await reloaded("the configuration stays as it is: http.tls cannot be used: ");
  const environment = { TIDEMARK_API: up.api, TIDEMARK_API_CA: first.authorityFile };
  const status = await run(process.execPath, [launcher, "status"], { environment });
  expect(status.stdout).toContain("ready, but the control API still shows its certificate of before: http.tls cannot");
  put(keyFile, second.serverKeyFile);
  await reloaded("in force now: http.tls.certFile (the file has another content), http.tls.keyFile (the file has");
  const [late, now] = [
    await run(process.execPath, [launcher, "status"], { environment }),
    await run(process.execPath, [launcher, "status", "--api-ca", second.authorityFile], { environment }),
  ];
  expect([late.exitCode, late.stderr]).toEqual([1, expect.stringMatching(/no answer from .*certificate/)]);
  expect([now.stderr, now.stdout]).toEqual(["", expect.stringMatching(/\(remote\): ready$/m)]);
  await up.program.stop();
});
