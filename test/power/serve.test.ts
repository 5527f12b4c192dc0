/** `tidemark serve` over a file whose disk loses its power: what was flushed is there. */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serveCommand } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { stampedBytes } from "#test/oracle/block-stamp.ts";
import { HistoryWriter, settleAll } from "#test/oracle/history-writer.ts";
import { Program } from "#test/oracle/program.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { WriteHistory } from "#test/oracle/write-history.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { needPowerDisks, PowerDisk } from "./power-disk.ts";

needPowerDisks();

const sizeBytes = 8 * MiB;

async function serve(disk: PowerDisk): Promise<{ readonly program: Program; readonly uri: string }> {
  const socket = `${disk.path}-socket`;
  const program = new Program("serve", [...serveCommand(join(disk.path, "source"), ["--json", "--socket", socket])] as [
    string,
    ...string[],
  ]);
  const { uri } = JSON.parse(await program.line((line) => line.startsWith("{")));
  return { program, uri };
}

test("faults 10 and 11: what was flushed is in the source after each of several cuts", async () => {
  const random = new SeededRandom(11);
  const disk = await PowerDisk.make();
  const file = await open(join(disk.path, "source"), "wx");
  await file.truncate(sizeBytes);
  await file.sync();
  await file.close();
  const history = new WriteHistory(1, sizeBytes / stampedBytes);
  for (let life = 0; life < 3; life++) {
    const { program, uri } = await serve(disk);
    const client = await openVolume(uri);
    expect(await settleAll(client, history, { mayBeTorn: true })).toEqual([]);
    await client.flush();
    const writer = new HistoryWriter({ client, history, random });
    await disk.cutAfter(random.between(20, 400), life);
    const written = writer.run();
    await disk.whenCut;
    await program.kill();
    await written;
    expect(writer.complaints).toEqual([]);
    await disk.powerDown();
    await disk.powerUp();
  }
  expect(history.count).toBeGreaterThan(100);
});
