/** How a volume comes to its group: it gets a number, what its source may lack is redone, and then it may write. */
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { isOfBlocks, recordType } from "#src/records/record.ts";
import type { AttachedSource, Attachment, VolumeIdentity, VolumeReceiver } from "#src/wire/volume-link.ts";
import type { GroupVolume } from "./group-state.ts";
import type { LocalGroup } from "./local-group.ts";
import type { OrdinalMap } from "./ordinal-map.ts";
import { LocalVolumeLink } from "./volume-link.ts";
import { noteSize } from "./volume-size.ts";

interface KnownSource extends AttachedSource {
  readonly durableOrdinal: number;
}

export async function attachVolume(
  group: LocalGroup,
  identity: VolumeIdentity,
  source: KnownSource,
  receiver: VolumeReceiver,
): Promise<Attachment> {
  const { sourceAge = "known" } = source;
  if (group.failure !== undefined) throw group.failure;
  refuseOverflowed(group, identity, source);
  const known = await volumeOf(group, identity);
  const claim = group.volumes.claim(known.number);
  if (claim === undefined) throw new RefuseError(`another interceptor has the volume '${identity.name}'`);
  try {
    group.volumes.refuseGone(known.number);
    const ordinals = group.volumes.ordinalsOf(known.number);
    if (sourceAge === "known") refuseOld(identity, source.durableOrdinal, ordinals);
    const durableOrdinal = sourceAge === "accepted" ? ordinals.lastOrdinal : source.durableOrdinal;
    // First of all, since a full spool has room for nothing before that is known.
    ordinals.reportDurable(Math.min(durableOrdinal, ordinals.lastOrdinal));
    group.release();
    const volume = await noteSize(group, known, identity);
    announce(group, volume, durableOrdinal);
    await redo(group, volume.number, durableOrdinal, receiver);
    // The group has failed meanwhile, or ended: it would not tell a volume that comes now.
    if (claim.lost !== undefined) throw claim.lost;
    refuseOverflowed(group, identity, source);
    // Where the interceptor knows more of a volume than a group that has only just met it, the group's answer tells it so.
    if (!volume.isNew) ordinals.skipTo(durableOrdinal);
    ordinals.reportDurable(Math.min(durableOrdinal, ordinals.lastOrdinal));
    const isForgotten = volume.isNew && durableOrdinal > 0;
    const copy = group.volumes.copyOf(volume.number);
    const isCopyDue =
      source.isCopyDue === true && (source.copyEndOrdinal ?? Number.MAX_SAFE_INTEGER) > ordinals.lastOrdinal;
    copy.attached(isCopyDue, isCopyDue || volume.inDoubt || isForgotten);
    const gapMicros = group.volumes.gapMicrosOf(volume, source.unprotectedMicros);
    const lastMicros = group.volumes.leftMicrosOf(volume.number);
    const link = new LocalVolumeLink({ group, volume, ordinals, receiver, copy, lastMicros, gapMicros });
    group.volumes.attached(link);
    const { inDoubt, isAllInDoubt = false } = volume;
    return { link, lastOrdinal: ordinals.lastOrdinal, inDoubt, isAllInDoubt };
  } catch (error) {
    group.volumes.unclaim(known.number, claim);
    throw error;
  }
}

/** One that needs what is in the spool to go on at all gets that, and is let go of then. */
function refuseOverflowed(group: LocalGroup, { id }: VolumeIdentity, { durableOrdinal, needsRedo }: KnownSource): void {
  const { overflow, state, volumes, order } = group;
  const { refusal } = overflow;
  if (refusal === undefined) return;
  const known = state.state.volumes.find((one) => one.id === id);
  if (known !== undefined && volumes.isHolding(known.number, durableOrdinal, order.lastSeq)) overflow.holderCame();
  if (known === undefined || needsRedo !== true) throw refusal;
}

/** What a source was said to have is not in the spool any more: there is nothing to bring it up to date with. */
function refuseOld({ name }: VolumeIdentity, durableOrdinal: number, ordinals: OrdinalMap): void {
  if (durableOrdinal >= ordinals.saidOrdinal) return;
  throw new RefuseError(
    `the source of '${name}' had its first ${ordinals.saidOrdinal} changes, and now has ${durableOrdinal} of them, as an ` +
      `old image does: put the newest one back, or take this one as it is with 'tidemark volume resync ${name}'`,
  );
}

/** A volume that the group does not know yet joins it, durably. */
async function volumeOf(group: LocalGroup, identity: VolumeIdentity): Promise<GroupVolume> {
  const { volumes } = group.state.state;
  const known = volumes.find((one) => one.id === identity.id);
  if (known !== undefined) {
    // An attempt before this one may have failed to note it.
    if (known.isNew) await group.state.settled();
    return group.state.state.volumes.find((one) => one.id === identity.id) ?? known;
  }
  const number = Math.max(0, ...volumes.map((one) => one.number)) + 1;
  const { id, name, sizeBytes } = identity;
  const joined: GroupVolume = { number, id, name, sizeBytes, inDoubt: false, isNew: true };
  await group.state.updateSoon({ volumes: [...volumes, joined] });
  return joined;
}

/**
 * With a record at each attachment, so that a journal whose start is gone still says what its numbers stand for. A spool at
 * its limit does without for a volume that was announced before: what its source gets from it now is what will make room.
 * But nothing of the volume that its source lacks may get a place there behind the redo, which would pass it over.
 */
function announce(group: LocalGroup, volume: GroupVolume, durableOrdinal: number): void {
  const { id, name, sizeBytes, isNew } = volume;
  group.order.tryAgain();
  const seq = group.order.place(recordType.volume, volume.number, { id, name, sizeBytes });
  const isKnown = !isNew || group.volumes.ordinalsOf(volume.number).lastOrdinal > 0;
  if (seq !== undefined || (isKnown && group.order.forgetBehind(volume.number, durableOrdinal))) return;
  throw new RetryError(`the spool of group '${group.state.state.name}' is full: this goes on when it has room`);
}

async function redo(
  group: LocalGroup,
  volume: number,
  durableOrdinal: number,
  receiver: VolumeReceiver,
): Promise<void> {
  const { cuts } = group.volumes;
  const ordinals = group.volumes.ordinalsOf(volume);
  if (ordinals.lastOrdinal <= durableOrdinal) return;
  // In sync nothing is in the source that the remote does not have, so what nobody has acknowledged yet is waited for.
  await group.acknowledgements.allAcknowledged();
  await group.spool.scan(0, (record, buffer) => {
    const isWanted = record.volume === volume && record.ordinal > durableOrdinal && isOfBlocks(record.type);
    const blockCount = Math.min(record.blockCount, cuts.endBlockOf(volume, record.seq) - record.startBlock);
    if (isWanted && blockCount > 0) group.volumes.redoBegun(volume);
    return isWanted && blockCount > 0 ? receiver.redo({ ...record, blockCount, buffer }) : undefined;
  });
}
