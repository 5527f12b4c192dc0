/** The control API behind TLS and a token, as it must be beyond loopback. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createCertificates } from "#test/clients/certificates.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { RunningProgram } from "./running-program.ts";

needPrograms("openssl");

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
  expect(up.program.stderr).not.toContain("0123456789abcdef");
  await up.program.stop();
});
