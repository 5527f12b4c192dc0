/** A thread that stands still, in a real program: what is told of it, and what of the others. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { launcher } from "#test/cli/running-program.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { Program } from "#test/oracle/program.ts";
import { patience } from "#test/patience.ts";

needPrograms("setpriv");

test("fault 17: a side that stands still is down in the metrics, the other is not; and back when it goes on", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "blocked");
  const preloads = [join(import.meta.dirname, "blocked-side.ts")];
  const settings = ["http.port=0", "nbd.port=0"].flatMap((one) => ["--set", one]);
  const line = [process.execPath, launcher, "up", "--data", join(folder, "data"), ...settings, "--json"] as const;
  const program = new Program("up", line, { preloads, environment: { BLOCKED_SIDE_FILE: file } });
  const { api } = JSON.parse(await program.line((text) => text.startsWith("{"))) as { readonly api: string };
  const added = await fetch(`${api}/api/v1/volumes`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "disk", source: join(folder, "disk"), sizeBytes: 1024 * 1024 }),
  });
  expect(added.status).toBe(201);
  const told = async () => (await fetch(`${api}/metrics`)).text();
  const ofLocal = "tidemark_lag_seconds{";
  await vi.waitFor(async () => expect(await told()).toContain(ofLocal), patience);

  writeFileSync(file, "local");
  const down = await vi.waitFor(async () => {
    const text = await told();
    expect(text).toContain('tidemark_role_up{role="local"} 0\n');
    return text;
  }, patience);
  expect(down).toContain('tidemark_role_up{role="interceptor"} 0\n');
  expect(down).toContain('tidemark_role_up{role="remote"} 1\n');
  expect(down).toContain("tidemark_ready 0\n");
  expect(down).toContain("tidemark_journal_records_total{");
  for (const unknown of [ofLocal, "tidemark_volume_state{", "tidemark_mode{"]) expect(down).not.toContain(unknown);
  expect((await fetch(`${api}/healthz`)).status).toBe(200);

  rmSync(file);
  await vi.waitFor(async () => expect(await told()).toContain(ofLocal), patience);
  await program.stop();
});
