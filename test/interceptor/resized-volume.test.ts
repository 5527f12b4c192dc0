import { expect, test } from "vitest";
import { ReconnectError } from "#src/core/errors.ts";
import { blockBytes, MiB } from "#src/core/limits.ts";
import { type InterceptedVolume, openVolume } from "#src/interceptor/intercepted-volume.ts";
import { command } from "#src/nbd/constants.ts";
import { recordType } from "#src/records/record.ts";
import { RecordedRequest } from "#test/nbd/recorded-request.ts";
import { filled, VolumeWorld } from "./volume-world.ts";

/** As its owner leaves it to be opened with another size. */
async function reopened(world: VolumeWorld, sizeBytes: number, hasGarbage = false): Promise<InterceptedVolume> {
  const { identity } = world.parts;
  const handle = world.host.files.open("/source", "readWrite");
  handle.truncateNow(sizeBytes);
  if (hasGarbage) handle.writeNow(filled(MiB, 0x99), 0, MiB, sizeBytes - MiB);
  handle.close();
  const resized = { ...identity, sizeBytes, previousBytes: identity.sizeBytes };
  return world.run(openVolume({ ...world.parts, identity: resized }));
}

function write(volume: InterceptedVolume, offset: number, payload: Buffer): RecordedRequest {
  const request = new RecordedRequest({ command: command.write, offset, payload });
  volume.submit(request);
  volume.endBatch();
  return request;
}

test("a volume that has grown by a hole is written behind its former end at once, and nothing is copied", async () => {
  const world = await VolumeWorld.opened({ sizeBytes: 4 * MiB });
  world.write(0, filled(blockBytes, 7));
  await world.stop();
  const before = world.links.journal.length;
  const volume = await reopened(world, 12 * MiB);
  expect([volume.sizeBytes, volume.status().copy]).toEqual([12 * MiB, undefined]);
  const request = write(volume, 11 * MiB, filled(blockBytes, 8));
  await world.pass(50);
  expect(request.error).toBe(0);
  expect(world.links.shape.slice(before)).toEqual([`${recordType.write} ${(11 * MiB) / blockBytes}+1`]);
});

test("what a source holds behind the former end is copied as what it held at first is, and flushes do not wait for that", async () => {
  const world = await VolumeWorld.opened({ sizeBytes: 4 * MiB });
  world.links.isSync = true;
  await world.stop();
  const before = world.links.journal.length;
  const volume = await reopened(world, 8 * MiB, true);
  const flush = new RecordedRequest({ command: command.flush });
  volume.submit(flush);
  volume.endBatch();
  expect(volume.status()).toMatchObject({ copy: { kind: "initial" }, baseMissing: true });
  await world.pass(5_000);
  expect(flush.error).toBe(0);
  expect(volume.status()).toMatchObject({ baseMissing: false });
  const shape = world.links.shape.slice(before);
  const copied = shape.filter((one) => one.startsWith(`${recordType.write} `));
  expect(copied).toEqual([`${recordType.write} ${(7 * MiB) / blockBytes}+256`]);
  expect([shape[0], shape.at(-1)]).toEqual([`${recordType.resyncBegin} 0+0`, `${recordType.initialComplete} 0+0`]);
  expect(world.links.replay(Buffer.alloc(8 * MiB)).subarray(4 * MiB)).toEqual(
    Buffer.concat([Buffer.alloc(3 * MiB), filled(MiB, 0x99)]),
  );
});

test("a volume that was cut has its new size, and what its map marked within it is still marked", async () => {
  const world = await VolumeWorld.opened({ sizeBytes: 8 * MiB });
  await world.warmUp();
  world.kill();
  // As the appliance leaves out what was cut off.
  const isThere = (startBlock: number): boolean => startBlock * blockBytes < 2 * MiB;
  world.links.journal = world.links.journal.map((one) =>
    isThere(one.startBlock) ? one : { ...one, type: recordType.flush },
  );
  const volume = await reopened(world, 2 * MiB);
  expect([volume.sizeBytes, volume.status().markedRegions]).toEqual([2 * MiB, 2]);
});

test.each(["at a start", "after a moment", "after the volume went on alone"])(
  "all of a volume is copied where nobody knows what the order lost of it, %s",
  async (when) => {
    const options = { whenLost: "track", trackAfterMs: 3_000, copyBytesPerSecond: 1 } as const;
    const world = await VolumeWorld.opened({ sizeBytes: 64 * MiB, isSparse: true, options });
    const { links } = world;
    world.write(0, filled(blockBytes, 7));
    await world.pass(50);
    Object.assign(links, { inDoubt: true, isAllInDoubt: true });
    if (when === "at a start") {
      world.kill();
      await world.open();
    } else {
      if (when !== "after a moment") links.attachErrors = new Array(8).fill(new ReconnectError("gone"));
      links.lose(new ReconnectError("gone"));
      await world.pass(when === "after a moment" ? 500 : 30_000);
    }
    const { state, markedRegions, copy } = world.volume.status();
    expect([state, markedRegions, copy?.bytesTotal]).toEqual(["open", 64, 64 * MiB]);
  },
);
