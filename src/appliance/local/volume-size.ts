/**
 * Takes note of that a volume has another size than the group knows of: a `resize` record, durable, and then the group's
 * state. In this order, so that no state speaks of what the journal does not say; after a crash in between the record is
 * placed once more, which says the same again.
 *
 * Nobody writes to the volume meanwhile: all of its records before this one are of the former size, all behind it of the
 * new one. In sync the remote is not waited for: whatever is acknowledged later stands behind the record.
 */
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { whenDone } from "#src/host/when-done.ts";
import { recordType } from "#src/records/record.ts";
import type { VolumeIdentity } from "#src/wire/volume-link.ts";
import type { GroupVolume } from "./group-state.ts";
import type { LocalGroup } from "./local-group.ts";

/** Answers the volume with the size that its interceptor says it has. */
export async function noteSize(
  group: LocalGroup,
  volume: GroupVolume,
  { name, sizeBytes, previousBytes }: VolumeIdentity,
): Promise<GroupVolume> {
  if (volume.sizeBytes === sizeBytes) return volume;
  if (volume.sizeBytes !== previousBytes) {
    throw new RefuseError(
      `the volume '${name}' had ${volume.sizeBytes} bytes and its source now has ${sizeBytes}: ` +
        "bring the source back to its size",
    );
  }
  const content = { sizeBytes, previousBytes };
  const seq = group.order.placeNowOrNever(recordType.resize, volume.number, content);
  if (seq === undefined) throw new RetryError(`the group '${group.state.state.name}' can take no record at the moment`);
  group.volumes.cuts.add(volume.number, seq, content);
  try {
    await whenDone((done) => group.spool.sync(done));
  } catch (error) {
    group.fail(error as Error);
    throw error;
  }
  const isCut = sizeBytes < volume.sizeBytes;
  const change = { sizeBytes, ...(isCut ? { cutSeq: seq } : {}) };
  const { volumes } = group.state.state;
  await group.state.update({
    volumes: volumes.map((one) => (one.number === volume.number ? { ...one, ...change } : one)),
  });
  return { ...volume, sizeBytes };
}
