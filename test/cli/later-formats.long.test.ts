/**
 * What a program does that finds what a later version has written, as docs/upgrade.md says: refuses it in words, leaves it as it is, and
 * goes on when the version that it knows is back.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { StatusReport, VolumeReport } from "#src/control/control-plane.ts";
import { encodeDocument } from "#src/host/document.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { Program } from "#test/oracle/program.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { launcher, RunningProgram } from "./running-program.ts";

needPrograms("setpriv");

interface Found {
  readonly path: string;
  readonly bytes: Buffer;
  readonly content: object;
}

type Outcome = "does not start" | "says so";

const outcomes: Readonly<Record<string, Outcome>> = {
  "tidemark-volumes": "does not start",
  "tidemark-tokens": "does not start",
  "tidemark-local-group": "says so",
  "tidemark-remote-group": "says so",
  "tidemark-segments": "does not start",
  "tidemark-store": "does not start",
};

const settings = ["store.sealAfterSeconds=1"].flatMap((one) => ["--set", one]);

/** A data folder with something of everything, of a program that has ended. */
async function usedFolder(): Promise<string> {
  const folder = temporaryFolder();
  const data = join(folder, "data");
  const up = await RunningProgram.start("up", data, ...settings);
  const add = ["volume", "add", "disk", "--source", join(folder, "disk.img"), "--size", "1M"];
  const host = await openVolume(((await up.asked(...add)) as VolumeReport).uris[0] as string);
  await host.write(0, Buffer.alloc(65_536, 1));
  await host.flush();
  await host.disconnect();
  await up.asked("token", "add", "ops", "--role", "read");
  await up.asked("mark", "disk", "--name", "one");
  await up.asked("snapshot", "create", "disk");
  await up.program.stop();
  return data;
}

/** Documents, by what they say they are: the last of each kind, for a copy lies before what it is of. */
function documentsIn(data: string): Map<string, Found> {
  const found = new Map<string, Found>();
  for (const name of readdirSync(data, { recursive: true, encoding: "utf8" }).sort()) {
    if (!name.endsWith(".json")) continue;
    const path = join(data, name);
    const bytes = readFileSync(path);
    const { format, content } = JSON.parse(bytes.toString("utf8")) as { format: string; content: object };
    found.set(format, { path, bytes, content });
  }
  return found;
}

/** What the program says of it, whether it runs then or not. */
async function told(data: string): Promise<readonly [Outcome, string]> {
  const ports = ["http.port=0", "nbd.port=0"].flatMap((one) => ["--set", one]);
  const line = [process.execPath, launcher, "up", "--data", data, ...ports, ...settings, "--json"] as const;
  const program = new Program("up", line);
  const ready = program.line((text) => text.startsWith("{")).catch(() => undefined);
  const first = await Promise.race([ready, program.ended.then(() => undefined)]);
  if (first === undefined) return ["does not start", program.stderr];
  const { api } = JSON.parse(first) as { readonly api: string };
  const said = await whenSeen(async () => {
    const { why = "", problems } = (await (await fetch(`${api}/api/v1/status`)).json()) as StatusReport;
    const all = [why, ...problems].join("\n");
    expect(all).toContain("has version 2");
    return all;
  });
  await program.stop();
  return ["says so", said];
}

test("documents of a later version are refused in words, and stay as they are", async () => {
  const data = await usedFolder();
  const documents = documentsIn(data);
  for (const [format, outcome] of Object.entries(outcomes)) {
    const { path, bytes, content } = documents.get(format) as Found;
    const later = encodeDocument({ format, version: 2 }, content);
    writeFileSync(path, later);
    const [found, words] = await told(data);
    expect([format, found, words]).toEqual([
      format,
      outcome,
      expect.stringMatching(/has version 2, and this program reads version 1: use the program that wrote it/),
    ]);
    expect(readFileSync(path).equals(later)).toBe(true);
    writeFileSync(path, bytes);
  }
  const up = await RunningProgram.start("up", data, ...settings);
  await whenSeen(async () => expect(await up.status()).toMatchObject({ ready: true, problems: [] }));
  await up.program.stop();
});
