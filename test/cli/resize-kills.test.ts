/** The program is killed in the middle of a resize, and started again. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { MiB } from "#src/core/limits.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { Beginning } from "#test/kill/beginning.ts";
import { JournalReplay } from "#test/oracle/journal-replay.ts";
import { typeNumber } from "#test/oracle/log-file-reader.ts";
import type { SitePlaces } from "#test/oracle/sites.ts";
import { differences } from "#test/oracle/source-comparison.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { RunningProgram } from "./running-program.ts";

needPrograms("setpriv");

/** Writes where it will matter, and answers when that is durable. */
async function writeAtEnd(uri: string, sizeBytes: number, value: number): Promise<void> {
  const client = await openVolume(uri);
  await client.write(0, Buffer.alloc(4096, value));
  await client.write(sizeBytes - MiB, Buffer.alloc(MiB, value));
  await client.flush();
  await client.disconnect();
}

const beginning = new Beginning();

/** A volume that was written to, and whose program has ended in order. */
async function begin({ folder, source }: SitePlaces): Promise<void> {
  const first = await RunningProgram.start("up", join(folder, "data"));
  const line = ["volume", "add", "disk", "--source", source, "--size", "8M"];
  const { uris } = (await first.asked(...line)) as VolumeReport;
  await writeAtEnd(uris[0] as string, 8 * MiB, 1);
  await first.program.stop();
}

// The first batch of a start tells of the volume as it was; the second is the flush that it ends with, the third tells of
// its resize, the fourth of the volume as it then is.
test.each([
  ["before it is ordered", "local.before-spool=kill@2", 4, false],
  ["before its record is made", "local.before-spool=kill@3", 4, true],
  ["when its record is in the spool", "local.after-spool=kill@3", 12, true],
  ["before the volume is told of anew", "local.before-spool=kill@4", 4, true],
])(
  "fault 9: killed in the middle of a resize, %s, the next start has it wholly or not at all",
  async (_, fault, wanted, isOrdered) => {
    const { folder, source } = await beginning.at(begin);
    const data = join(folder, "data");
    const mebibytes = isOrdered ? wanted : 8;
    const doomed = await RunningProgram.start("up", data, "--set", `faults=${fault}`);
    const isOpen = async () => expect((await doomed.status()).volumes).toMatchObject([{ state: "open" }]);
    await whenSeen(isOpen);
    const { exitCode } = await doomed.typed("volume", "resize", "disk", `${wanted}M`, "--confirm", "disk");
    await doomed.program.ended;
    expect(exitCode).toBe(1);
    const again = await RunningProgram.start("up", data);
    const isResized = async (): Promise<string> => {
      const [volume] = (await again.status()).volumes;
      expect(volume).toMatchObject({ state: "open", sizeBytes: mebibytes * MiB });
      expect(volume).not.toHaveProperty("resizeTo");
      return volume?.uris[0] as string;
    };
    const uri = await whenSeen(isResized);
    await writeAtEnd(uri, mebibytes * MiB, mebibytes);
    await again.program.stop();
    expect(statSync(source).size).toBe(mebibytes * MiB);
    using replay = new JournalReplay({ local: join(data, "local"), remote: join(data, "remote") });
    expect(differences(source, replay, replay.volumeNumber("disk"))).toEqual([]);
    const resize = replay.records.findLast(({ type }) => type === typeNumber.resize);
    expect(resize?.extra?.sizeBytes).toBe(isOrdered ? wanted * MiB : undefined);
  },
);
