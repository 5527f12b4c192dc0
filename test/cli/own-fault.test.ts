/** An assertion that fails within an I/O thread: the program cannot rely on itself any more, and ends. */
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { RunningProgram } from "./running-program.ts";

needPrograms("setpriv");

const block = Buffer.alloc(4096, "tidemark");

test.each([
  ["interceptor.before-source", "local"],
  ["local.before-spool", "local"],
  ["remote.before-data", "remote"],
])("an assertion that fails at %s ends the program with status 1 and one line that says so", async (place, side) => {
  const data = join(temporaryFolder(), "data");
  // What is before it is the volume's own record, where there is one.
  const ordered = `faults=${place}=assert@${place.startsWith("interceptor") ? 1 : 2}`;
  const up = await RunningProgram.start("up", data, "--set", ordered);
  const source = join(data, "disk.img");
  const volume = (await up.asked("volume", "add", "disk", "--source", source, "--size", "1M")) as VolumeReport;
  const client = await openVolume(volume.uris[0] as string);
  const written = client.write(0, block).catch(() => {});
  expect(await up.program.ended).toEqual({ code: 1, signal: null });
  await written;
  const words = up.program.stderr.split("\n").filter((line) => line.startsWith("tidemark: "));
  expect(words).toEqual([`tidemark: the ${side} side has failed: an assertion was ordered to fail at ${place}`]);
  // A start without the fault mends everything.
  const again = await RunningProgram.start("up", data);
  await whenSeen(async () => expect((await again.status()).ready).toBe(true));
  const host = await openVolume((await again.status()).volumes[0]?.uris[0] as string);
  await host.write(0, block);
  await host.flush();
  expect((await host.read(0, 4096)).equals(block)).toBe(true);
  await host.disconnect();
  await again.program.stop();
});
