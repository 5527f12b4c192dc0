import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadConfig } from "#src/control/config.ts";
import { Scrape } from "#src/control/metrics/scrape.ts";
import { createCertificates } from "#test/clients/certificates.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";

needPrograms("openssl");

const dayMs = 86_400_000;

test("fault 35: a certificate is told of by when it ends; no secret is in the metrics", async () => {
  const { serverCertificateFile, serverKeyFile } = await createCertificates(temporaryFolder());
  const [cert, key] = [serverCertificateFile, serverKeyFile].map((file) => readFileSync(file, "utf8"));
  const secret = "0123456789abcdef0123456789abcdef";
  const text = `http: { token: ${secret} }\nwire: { token: ${secret} }\n`;
  const file = { name: "/etc/tidemark.yaml", text };
  const { config } = loadConfig({ environment: {}, folder: "/start", assignments: [], file });
  const scrape = new Scrape({
    ...{ config, roles: ["remote"], sides: [], keeper: undefined },
    credentials: () => ({ nbd: { cert: cert as string, key: key as string }, wire: undefined, http: undefined }),
  });
  const { text: told } = await scrape.read();
  const [, end] = /^tidemark_certificate_end_timestamp_seconds\{use="nbd"\} (\d+)$/m.exec(told) ?? [];
  expect(Number(end) * 1000 - Date.now()).toBeGreaterThan(dayMs);
  expect(Number(end) * 1000 - Date.now()).toBeLessThan(3 * dayMs);
  expect(told).toContain('tidemark_role_up{role="remote"} 0\n');
  for (const hidden of [secret, "BEGIN", (key as string).split("\n")[1] as string]) expect(told).not.toContain(hidden);
});
