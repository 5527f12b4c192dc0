/** A live volume is taken in, with real processes and their interfaces. */
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { temporaryPlaces } from "#test/kill/rounds.ts";
import { LinkProxy } from "#test/oracle/link-proxy.ts";
import { typeNumber } from "#test/oracle/log-file-reader.ts";
import { Sites, volumeName } from "#test/oracle/sites.ts";
import { differences } from "#test/oracle/source-comparison.ts";
import { whenSeen } from "#test/patience.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

needPrograms("setpriv");

const sizeBytes = 32 * MiB;
const blockBytes = 4096;

/** Every other piece of it is a hole, and some of what is written is zeros. */
function writeSource(path: string, random: SeededRandom): void {
  const source = openSync(path, "w");
  ftruncateSync(source, sizeBytes);
  for (let at = 0; at < sizeBytes; at += 4 * MiB) {
    writeSync(source, random.bytes(MiB), 0, MiB, at);
    writeSync(source, Buffer.alloc(MiB), 0, MiB, at + MiB);
  }
  closeSync(source);
}

async function beginCopy(random: SeededRandom) {
  const places = await temporaryPlaces();
  writeSource(places.source, random);
  const link = join(places.folder, "link.sock");
  const proxy = await LinkProxy.between({ path: link }, { path: join(places.folder, "wire.sock") });
  // Slow enough that it is under way still when the last of the accidents has happened.
  const settings = { copy: { bytesPerSecond: 2 * MiB }, interceptor: { checkpointSeconds: 0.5 } };
  const sites = await Sites.make({ places, sizeBytes, mode: "async", settings, remoteAddress: link });
  return { sites, proxy };
}

/** Writes here and there until it is told that it is enough, or there is nobody to write to. */
async function writeOn(sites: Sites, random: SeededRandom, isEnough: () => boolean): Promise<void> {
  const client = await sites.connect();
  try {
    while (!isEnough()) {
      const count = random.between(1, 16);
      const block = random.integerBelow(sizeBytes / blockBytes - count);
      await client.write(block * blockBytes, random.bytes(count * blockBytes));
    }
    await client.disconnect();
  } catch {
    // The interceptor was killed.
  }
}

test("claim A1: while the host writes, the link is cut and processes die, all of a source is journaled, then complete", async () => {
  const random = new SeededRandom(7);
  const { sites, proxy } = await beginCopy(random.fork("source"));
  let isEnough = false;
  const first = writeOn(sites, random.fork("first"), () => isEnough);
  const reached = (bytes: number) =>
    whenSeen(async () => expect((await sites.volume()).copy?.bytesDone).toBeGreaterThan(bytes));
  await reached(3 * MiB);
  proxy.cut();
  await reached(6 * MiB);
  await sites.kill("interceptor");
  await first;
  await sites.start("interceptor");
  const second = writeOn(sites, random.fork("second"), () => isEnough);
  await reached(MiB);
  await sites.kill("local", "remote");
  await sites.start("local", "remote");
  expect(await sites.volume()).toMatchObject({ baseMissing: true, copy: { kind: "initial" } });
  await whenSeen(async () => expect((await sites.volume()).baseMissing).toBe(false));
  isEnough = true;
  await second;
  await sites.calm();
  using replay = sites.remoteReplay();
  const volume = replay.volumeNumber(volumeName);
  expect(differences(sites.source, replay, volume)).toEqual([]);
  const ofVolume = replay.records.filter((record) => record.volume === volume && record.ordinal > 0);
  expect(ofVolume[0]?.type).toBe(typeNumber.resyncBegin);
  const ends = ofVolume.filter(({ type }) => type === typeNumber.resyncEnd || type === typeNumber.initialComplete);
  expect(ends.map(({ type }) => type)).toEqual([typeNumber.resyncEnd, typeNumber.initialComplete]);
});
