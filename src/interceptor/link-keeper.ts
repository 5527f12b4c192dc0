/**
 * Keeps a volume tied to its appliance: attaches at the start, and again when the link was lost. Meanwhile writers wait
 * (`stall`), or, when that has taken too long, the volume goes on without the appliance (`track`) and is journaled anew
 * from the source later.
 *
 *     attaching ──▶ up ──▶ stalled ──▶ up
 *                    ▲        │
 *                    └──── tracking
 *
 * Where the appliance's spool has overflowed, writers do not wait at all, whatever was chosen for its absence.
 *
 * While tracking, ordinals are only counted here. They end with the link that stood in for the appliance: the appliance
 * goes on with its own, and the resync stands for what it never got.
 */
import { OverflowError, StopError } from "#src/core/errors.ts";
import { reattachMsMax, reattachMsMin } from "#src/core/limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import type { Attachment, RedoRecord, VolumeIdentity, VolumeLink, VolumeLinks } from "#src/wire/volume-link.ts";
import type { Checkpoints } from "./checkpoints.ts";
import { synced } from "./completion.ts";
import type { Flight } from "./flight.ts";
import type { FlushRounds } from "./flush-rounds.ts";
import type { Gate, GateEntry } from "./gate.ts";
import { mayComeBack, mayTryAgain } from "./link-loss.ts";
import { LinkReceiver } from "./link-receiver.ts";
import type { Outlet } from "./outlet.ts";
import type { RecordInFlight } from "./record-in-flight.ts";
import { addingAgain } from "./records-again.ts";
import { Redo } from "./redo.ts";
import { baseBehind, type RegionMapFile } from "./region-map-file.ts";
import type { Source } from "./source.ts";
import type { SourceCopy } from "./source-copy.ts";
import type { SourceWriter } from "./source-writer.ts";
import { TrackingLink } from "./tracking-link.ts";

export type LinkState = "attaching" | "up" | "stalled" | "tracking" | "over";

export interface LinkKeeperParts {
  readonly identity: VolumeIdentity;
  readonly links: VolumeLinks;
  readonly clock: Clock;
  readonly log: Log;
  readonly whenLost: "stall" | "track";
  readonly trackAfterMs: number;
  readonly source: Source;
  readonly flight: Flight;
  readonly writer: SourceWriter;
  readonly outlet: Outlet;
  readonly gate: Gate;
  readonly mapFile: RegionMapFile;
  readonly copy: SourceCopy;
  readonly flushes: FlushRounds;
  readonly checkpoints: Checkpoints;
  readonly acknowledged: (ordinal: number) => void;
  /** Nothing comes to its end before the link is back. */
  readonly stalled: () => void;
  /** Something may go on: there is room, or a link. */
  readonly moved: () => void;
  readonly failed: (error: Error) => void;
}

export class LinkKeeper {
  readonly #parts: LinkKeeperParts;
  #state: LinkState = "attaching";
  #why: string | undefined;
  #receiver: LinkReceiver | undefined;
  #link: VolumeLink | undefined;
  #mustCopy = false;
  /** The appliance has no room: it said itself that the volume had better go on without it. */
  #isOverflowed = false;
  /** Counts the times that records had to be added again. */
  #round = 0;
  /** The writer's count when the source was last made durable for an attempt to come back. */
  #settledCount = -1;
  #delay: { readonly timer: Timer; readonly resolve: () => void } | undefined;

  constructor(parts: LinkKeeperParts) {
    this.#parts = parts;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Why it is not up. */
  get why(): string | undefined {
    return this.#state === "up" ? undefined : this.#why;
  }

  /** The start. `takesSource`: as it is, however old; all of it is marked. */
  async start(takesSource: boolean): Promise<void> {
    const { identity, links, mapFile, source, flight, outlet, log } = this.#parts;
    const redo = new Redo(source, mapFile);
    const receiver = this.#newReceiver((record) => redo.apply(record));
    const sourceAge = takesSource ? "accepted" : mapFile.sourceAge;
    const needsRedo = !mapFile.state.tracking;
    const attachment = await links
      .attach(identity, mapFile.state.durableOrdinal, receiver, { ...mapFile.said, sourceAge, needsRedo })
      .catch((error: Error) => this.#trackOn(error, receiver));
    if (attachment === undefined) return;
    this.#link = attachment.link;
    if (!takesSource) redo.refuseHalf(identity.name);
    await synced(source);
    if (redo.count > 0) log.info("redone in the source what it may have lacked", { records: redo.count });
    await this.#noteAttachment(attachment);
    const mustCopy = mapFile.state.resyncWanted || mapFile.state.base !== "complete";
    if (receiver.loss !== undefined) return this.#startAway(receiver.loss, attachment, mustCopy);
    attachment.link.reportDurable(attachment.lastOrdinal);
    flight.rebase(attachment.lastOrdinal, mustCopy ? 1 : 0);
    outlet.open(attachment.link);
    this.#state = "up";
    if (mustCopy) this.#beginCopy();
  }

  /** A volume that went on without the appliance before, since that has no room, needs nothing of it to go on so. */
  #trackOn(error: Error, receiver: LinkReceiver): undefined {
    const { flight, mapFile, checkpoints, failed } = this.#parts;
    if (!(error instanceof OverflowError) || !mapFile.state.tracking) throw receiver.notAttached(error);
    this.#noteAway(error);
    checkpoints.pause(true);
    flight.rebase(mapFile.state.durableOrdinal, 0);
    this.#openTracking();
    this.#comeBack().catch(failed);
  }

  /** The appliance has no room, but has given what the source may have lacked. So the volume may go on without it. */
  #startAway(loss: Error, { lastOrdinal }: Attachment, mustCopy: boolean): void {
    const { flight, failed } = this.#parts;
    if (!(loss instanceof OverflowError)) throw loss;
    this.#link = undefined;
    this.#mustCopy = mustCopy;
    flight.rebase(lastOrdinal, 0);
    this.#state = "stalled";
    this.#noteAway(loss);
    this.#comeBack().catch(failed);
  }

  /** What the source held before it was protected was promised to nobody. */
  #beginCopy(): void {
    const { mapFile, flushes, copy } = this.#parts;
    if (mapFile.state.resyncWanted) flushes.fellBehind();
    copy.begin("reserved");
  }

  /** Puts into the map's file what an attachment means, before anything is added that relies on it. */
  async #noteAttachment({ lastOrdinal, inDoubt, isAllInDoubt }: Attachment): Promise<void> {
    const { mapFile, log } = this.#parts;
    const { durableOrdinal, resyncWanted, tracking } = mapFile.state;
    // The appliance knows less of this volume than the source had durably, or more than the map, and it was no loss of
    // power that it speaks of; or it knows nothing at all: then the marks do not say what differs.
    const isForgotten = knowsNothing(lastOrdinal, durableOrdinal);
    const isStrange =
      isForgotten ||
      isAllInDoubt ||
      (!tracking && lastOrdinal < durableOrdinal && !inDoubt) ||
      (mapFile.isNew && (lastOrdinal > 0 || inDoubt));
    if (isStrange || mapFile.isDoubtful) {
      log.warn("nobody knows which regions differ: the whole volume is journaled anew", {
        lastOrdinal,
        durableOrdinal,
      });
      mapFile.map.markAll();
    } else if (inDoubt) log.warn("power was lost: the marked regions are in doubt");
    const mustCopy = resyncWanted || inDoubt || isStrange || mapFile.isDoubtful;
    const change = { durableOrdinal: lastOrdinal, resyncWanted: mustCopy, tracking: false, redoing: false };
    await mapFile.update({ ...change, ...(mustCopy ? baseBehind(lastOrdinal) : {}) });
  }

  #newReceiver(redo: (record: RedoRecord) => Promise<void>): LinkReceiver {
    const receiver = new LinkReceiver({
      redo,
      acknowledged: (ordinal) => {
        if (receiver === this.#receiver) this.#parts.acknowledged(ordinal);
      },
      roomAgain: () => {
        if (receiver === this.#receiver) this.#parts.moved();
      },
      remoteDurable: () => {
        if (receiver === this.#receiver) this.#parts.checkpoints.remoteDurable();
      },
      lost: (error) => {
        if (receiver === this.#receiver) this.#lost(error);
      },
    });
    this.#receiver = receiver;
    return receiver;
  }

  // The link is lost

  #lost(error: Error): void {
    const { outlet, checkpoints, failed, log } = this.#parts;
    this.#link = undefined;
    // Whoever attaches at the moment sees it in the receiver.
    if (this.#state !== "up") return;
    outlet.close();
    checkpoints.abandon();
    if (!mayComeBack(error)) return failed(error);
    this.#state = "stalled";
    this.#noteAway(error);
    log.warn("the local appliance is gone: writers wait", { error });
    this.#comeBack().catch(failed);
    this.#parts.stalled();
  }

  #noteAway(error: Error): void {
    this.#why = error.message;
    this.#isOverflowed = error instanceof OverflowError;
  }

  async #comeBack(): Promise<void> {
    const { clock, whenLost, trackAfterMs } = this.#parts;
    const sinceMs = clock.monotonicMs();
    for (let backoffMs = reattachMsMin; this.#isAway; backoffMs = Math.min(backoffMs * 2, reattachMsMax)) {
      if (this.#state === "stalled") await this.#settleSource();
      if (await this.#tryAgain()) return;
      const leftMs = this.#isOverflowed ? 0 : sinceMs + trackAfterMs - clock.monotonicMs();
      const mayTrack = (whenLost === "track" || this.#isOverflowed) && this.#state === "stalled";
      if (mayTrack && leftMs <= 0) await this.#track();
      await this.#wait(mayTrack && leftMs > 0 ? Math.min(backoffMs, leftMs) : backoffMs);
    }
  }

  /**
   * What was acknowledged needs no link to reach the source. Once it is durable there, nothing is to be redone. An
   * attempt that failed half-way may have acknowledged more.
   */
  async #settleSource(): Promise<void> {
    const { source, writer } = this.#parts;
    await writer.idle();
    if (this.#settledCount === writer.writtenCount) return;
    const { writtenCount } = writer;
    await synced(source);
    this.#settledCount = writtenCount;
  }

  get #isAway(): boolean {
    return this.#state === "stalled" || this.#state === "tracking";
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#delay = { timer: this.#parts.clock.timer(delayMs, resolve), resolve };
      if (!this.#isAway) this.#stopWaiting();
    });
  }

  #stopWaiting(): void {
    this.#delay?.timer.cancel();
    this.#delay?.resolve();
  }

  /** True: the volume is protected again, or at its end. */
  async #tryAgain(): Promise<boolean> {
    const { identity, links, flight, mapFile, copy } = this.#parts;
    const durableOrdinal = this.#state === "tracking" ? mapFile.state.durableOrdinal : flight.appliedOrdinal;
    // What the appliance is told it may let go of, so that the map must know it too.
    if (durableOrdinal > mapFile.state.durableOrdinal) await mapFile.raiseDurable(durableOrdinal);
    if (!this.#isAway) return true;
    const receiver = this.#newReceiver((record) => this.#redoWhileOpen(record));
    let attachment: Attachment;
    try {
      attachment = await links.attach(identity, durableOrdinal, receiver, { ...mapFile.said, ...copy.said });
    } catch (error) {
      if (!mayTryAgain(error)) throw receiver.notAttached(error);
      this.#noteAway(error as Error);
      return !this.#isAway;
    }
    if (!this.#isAway) {
      attachment.link.detach();
      return true;
    }
    // Whoever ends the volume from here on lets go of it, also while the source keeps what follows waiting for ever.
    if (receiver.loss === undefined) this.#link = attachment.link;
    if (receiver.loss === undefined) {
      if (this.#state === "tracking") await this.#endTracking(attachment);
      else await this.#takeUp(attachment, durableOrdinal);
    }
    if (receiver.loss === undefined) return this.#reopen(attachment);
    if (!mayComeBack(receiver.loss)) throw receiver.loss;
    // It came only to go again, and nothing stands in for it any more.
    if (this.#state === "tracking" && this.#parts.outlet.link === undefined) this.#state = "stalled";
    this.#noteAway(receiver.loss);
    return false;
  }

  /** The source has all that was acknowledged before; the record is one that waits for just this. */
  #redoWhileOpen(record: RedoRecord): Promise<void> {
    const { flight, acknowledged } = this.#parts;
    if (this.#state === "tracking" || record.ordinal > flight.lastOrdinal) {
      return Promise.reject(new StopError(`the appliance redoes record ${record.ordinal}, which the source has`));
    }
    acknowledged(record.ordinal);
    return Promise.resolve();
  }

  /** `settledOrdinal`: what the source has durably. Older records over the same blocks must not be redone over it. */
  async #takeUp({ lastOrdinal, inDoubt, isAllInDoubt }: Attachment, settledOrdinal: number): Promise<void> {
    const { flight, mapFile, log } = this.#parts;
    const hasLost = lastOrdinal < flight.acknowledgedOrdinal;
    if (!hasLost && !inDoubt) return;
    log.warn(`the local appliance ${hasLost ? "has" : "may have"} lost what it had acknowledged`, { lastOrdinal });
    const isForgotten = knowsNothing(lastOrdinal, flight.acknowledgedOrdinal);
    if (!inDoubt || isAllInDoubt || isForgotten) mapFile.map.markAll();
    const durableOrdinal = Math.min(settledOrdinal, lastOrdinal);
    await mapFile.update({ durableOrdinal, resyncWanted: true, ...baseBehind(lastOrdinal) });
    this.#mustCopy = true;
  }

  #reopen(attachment: Attachment): boolean {
    const { flight, outlet, gate, flushes, copy, log, moved, checkpoints } = this.#parts;
    if (!this.#isAway) {
      attachment.link.detach();
      return true;
    }
    const { resyncWanted } = this.#parts.mapFile.state;
    const isWanted = resyncWanted && (copy.progress === undefined || copy.isSuperseded);
    const mustCopy = this.#mustCopy || copy.isBeginning || isWanted;
    const lacking = flight.rebase(attachment.lastOrdinal, mustCopy ? 1 : 0);
    outlet.open(attachment.link);
    gate.pushFirst(this.#addAgain(lacking));
    this.#state = "up";
    log.info("the local appliance is back", { addedAgain: lacking.length });
    checkpoints.pause(false);
    this.#mustCopy = false;
    if (mustCopy) this.#beginCopy();
    moved();
    flushes.relinked();
    return true;
  }

  // Without the appliance

  async #track(): Promise<void> {
    const { clock, flight, mapFile, gate, flushes, copy, checkpoints, log, moved } = this.#parts;
    // All that was acknowledged is durable in the source; the rest will be written to it in a moment, and its regions are
    // marked. So from now on the source is the truth, whatever becomes of the records.
    await mapFile.noteTracking(flight.lastOrdinal, Math.round(clock.wallMs() * 1000));
    if (!this.#isAway) return;
    log.warn("the volume goes on without the local appliance");
    checkpoints.pause(true);
    copy.abort();
    const lacking = flight.rebase(flight.acknowledgedOrdinal, 0);
    this.#openTracking();
    gate.pushFirst(this.#addAgain(lacking));
    moved();
    flushes.relinked();
  }

  #openTracking(): void {
    const { flight, outlet, acknowledged, moved } = this.#parts;
    this.#receiver = undefined;
    outlet.open(new TrackingLink(flight.acknowledgedOrdinal, { acknowledged, roomAgain: moved }));
    this.#state = "tracking";
  }

  /** Lets what is under way come to its end, and makes the source durable as it then is. */
  async #endTracking({ lastOrdinal, isAllInDoubt }: Attachment): Promise<void> {
    const { flight, outlet, writer, source, mapFile } = this.#parts;
    outlet.commit();
    outlet.link?.detach();
    outlet.close();
    await writer.idle();
    await synced(source);
    const isForgotten = knowsNothing(lastOrdinal, mapFile.state.durableOrdinal);
    if (isForgotten || isAllInDoubt) mapFile.map.markAll();
    const change = { durableOrdinal: lastOrdinal, resyncWanted: true, tracking: false };
    await mapFile.update({ ...change, ...baseBehind(lastOrdinal) });
    // Ordinals that were counted here end with this, whatever becomes of the link.
    flight.rebase(lastOrdinal, 0);
    this.#mustCopy = true;
  }

  #addAgain(records: readonly RecordInFlight[]): GateEntry {
    const round = ++this.#round;
    return addingAgain(records, () => round === this.#round);
  }

  /** The end: nothing is called any more. */
  end(): void {
    this.#state = "over";
    this.#receiver = undefined;
    this.#stopWaiting();
    this.#parts.outlet.close();
    this.#link?.detach();
    this.#link = undefined;
  }
}

/** The appliance has never heard of a volume that has had records: what it kept was lost, and made anew. */
function knowsNothing(lastOrdinal: number, knownOrdinal: number): boolean {
  return lastOrdinal === 0 && knownOrdinal > 0;
}
