/**
 * A group at the remote appliance: who is connected, and whether anything is taken at all:
 *
 *     opening ─▶ open ─▶ full        no room on the disk: nobody is let in until there is some again
 *        │ ▲      │       │
 *        │ └──────┼───────┘
 *        └────────┴──▶ stopped       an error of the disk, or damage: nothing more is done until a person has looked
 *
 * After a landing that found no room the journals are opened again as after a crash, so there is one way only to find out
 * what counts. After any other failure nothing is tried again, least of all a sync.
 */

import { ReconnectError, RefuseError, ResyncError, RetryError, StopError } from "#src/core/errors.ts";
import type { Timer } from "#src/host/clock.ts";
import type { FaultHook } from "#src/host/faults.ts";
import { isLackOfRoom } from "#src/host/lack-of-room.ts";
import type { Machine } from "#src/host/machine.ts";
import { raiseOwnFault } from "#src/host/own-fault.ts";
import type { JournalFolder } from "#src/journals/journal-folder.ts";
import type { JournalReader } from "#src/journals/journal-reader.ts";
import type { JournalIdentity } from "#src/journals/metadata-piece.ts";
import { DamagedBlocksError } from "#src/journals/segment-reader.ts";
import type { GroupHello, GroupSession, GroupSessionOwner, GroupWelcome, Watermarks } from "#src/wire/group-link.ts";
import type { Crowd } from "../crowd.ts";
import { probeRoom } from "./disk-room.ts";
import { type GroupJournals, openGroupJournals } from "./group-journals.ts";
import type { Sealer } from "./group-sealing.ts";
import type { RemoteGroupStateFile } from "./remote-group-state.ts";
import { type GroupEngineState, noLanding, type RemoteGroupStatus } from "./remote-group-status.ts";
import type { RemoteOptions } from "./remote-options.ts";
import { RemoteSession, type SessionGroup } from "./remote-session.ts";
import type { SealTurn } from "./seal-turn.ts";
import { type SegmentCatalogue, SegmentSupply } from "./segment-catalogue.ts";

export interface GroupEngineParts {
  readonly machine: Machine;
  readonly folder: JournalFolder;
  readonly state: RemoteGroupStateFile;
  readonly catalogue: SegmentCatalogue;
  readonly options: RemoteOptions;
  readonly hook: FaultHook | undefined;
  /** Undefined: nothing is sealed. */
  readonly sealer: Sealer | undefined;
  readonly sealTurn: SealTurn;
  readonly crowd: Crowd;
  /** Files were opened, which others may have to let go of theirs for. */
  readonly openedFiles: (engine: GroupEngine) => void;
}

const nothing: Watermarks = { received: 0, durable: 0, stored: 0 };

export class GroupEngine implements SessionGroup {
  readonly #parts: GroupEngineParts;
  readonly #supply: SegmentSupply;
  readonly #identity: JournalIdentity;
  #state: GroupEngineState = "opening";
  #failure: Error | undefined;
  #journals: GroupJournals | undefined;
  /** The last that is known, also while there are no journals. */
  #marks = nothing;
  #session: RemoteSession | undefined;
  #probe: Timer | undefined;
  #unsoundCount = 0;
  #journalErrors = 0;
  #hadFiles = false;
  /** What opens, closes, and lets in is done one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #isEnding = false;

  constructor(parts: GroupEngineParts) {
    this.#parts = parts;
    this.#supply = new SegmentSupply(parts.catalogue);
    this.#identity = { group: parts.state.state.id, incarnation: parts.state.state.incarnation };
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** Never rejects: what hinders is in the status. */
  open(): Promise<void> {
    return this.#inTurn(() => this.#open());
  }

  async #open(): Promise<void> {
    const { machine, folder, state, catalogue, options, hook, sealer, sealTurn, crowd } = this.#parts;
    try {
      folder.makeNow(machine.files);
      catalogue.assertGiven(folder.segments(machine.files), folder.path);
      this.#journals = await openGroupJournals({
        machine,
        folder,
        identity: this.#identity,
        state,
        supply: this.#supply,
        options,
        hook,
        sealer,
        ...{ sealTurn, crowd },
        durableSeq: this.#marks.durable,
        foundUnsound: () => this.#unsoundCount++,
        synced: () => this.#synced(),
        sealDue: () => this.#closeSegment(),
        failed: (error) => this.#stop(error),
      });
      this.#state = "open";
      this.#failure = undefined;
      this.#marks = this.#journals.marks;
      const { droppedBytes } = this.#journals;
      if (droppedBytes > 0)
        machine.log.info("an unpromised tail was dropped", { group: state.state.name, droppedBytes });
    } catch (error) {
      // The store says so of what passes, as a lack of descriptors does.
      if (isLackOfRoom(error) || error instanceof RetryError) this.#full(error as Error);
      else this.#stop(error as Error);
    }
  }

  /** Throws a `RefuseError`, `ResyncError`, `RetryError` or `StopError` for whom it does not let in. */
  admit(hello: GroupHello, session: GroupSession): Promise<{ welcome: GroupWelcome; owner: GroupSessionOwner }> {
    return this.#inTurn(() => this.#admit(hello, session));
  }

  async #admit(hello: GroupHello, session: GroupSession): Promise<{ welcome: GroupWelcome; owner: GroupSessionOwner }> {
    const { state, machine, options } = this.#parts;
    this.#opened().receiver.judge(hello, state.state);
    this.#session?.end("a newer connection of the same group has taken its place");
    this.#session = undefined;
    const { writer, life, epoch, groupName: name } = hello;
    const known = state.state;
    const isKnown = known.writer === writer && known.life === life && known.epoch === epoch && known.name === name;
    if (!isKnown) await this.#noteWriter({ writer, life, epoch, name });
    const journals = this.#opened();
    this.commit();
    journals.sessionEnded();
    journals.receiver.admit(hello);
    this.#session = new RemoteSession(this, session, machine.clock, options.creditBytes);
    const place = journals.receiver.place;
    return { welcome: { ...journals.marks, epoch: place.epoch, bootId: machine.bootId }, owner: this.#session };
  }

  /** Durably, before anything is taken from him: so that no older writer is let in any more. */
  async #noteWriter(change: { writer: string; life: number; epoch: number; name: string }): Promise<void> {
    try {
      await this.#parts.state.update(change);
    } catch (error) {
      if (isLackOfRoom(error)) throw this.#full(error as Error);
      throw this.#stop(error as Error);
    }
  }

  #opened(): GroupJournals {
    if (this.#isEnding) throw new RetryError("the remote appliance stops");
    if (this.#state === "open" && this.#journals !== undefined) return this.#journals;
    if (this.#state === "full") throw this.#noRoom();
    throw this.#stopped();
  }

  #noRoom(): RetryError {
    return new RetryError(`there is no room at the remote appliance: ${this.#failure?.message}`, {
      cause: this.#failure,
    });
  }

  #stopped(): StopError {
    return new StopError(`the group is stopped at the remote appliance: ${this.#failure?.message}`, {
      cause: this.#failure,
    });
  }

  // SessionGroup

  get marks(): Watermarks {
    return this.#journals?.marks ?? this.#marks;
  }

  get mayLandMore(): boolean {
    const { undurableBytesMax, unsealedBytesMax } = this.#parts.options;
    const { undurableBytes = 0, unsealedBytes = 0 } = this.#journals ?? {};
    return undurableBytes <= undurableBytesMax && unsealedBytes <= unsealedBytesMax;
  }

  land(bytes: Buffer, start: number, end: number): void {
    const journals = this.#opened();
    this.#guarded(() => {
      try {
        journals.land(bytes, start, end);
      } catch (error) {
        // Those before the bad one were taken, and the receiver counts with them.
        if (isOfPeer(error)) journals.commit();
        throw error;
      }
    });
  }

  commit(): void {
    const journals = this.#opened();
    this.#guarded(() => journals.commit());
    if (!this.#hadFiles && journals.openFileCount > 0) {
      this.#hadFiles = true;
      this.#parts.openedFiles(this);
    }
  }

  /** What the peer is to blame for, or will pass, goes on to the connection; all else also ends what is done here. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (isOfPeer(error)) throw error;
      throw isLackOfRoom(error) ? this.#full(error as Error) : this.#stop(error as Error);
    }
  }

  askDurable(seq: number): void {
    this.#opened().askDurable(seq);
  }

  openReader(): JournalReader {
    return this.#opened().openReader();
  }

  fetchFailed(error: Error): void {
    if (error instanceof DamagedBlocksError) this.#journalErrors += error.blocks.length;
    const { log } = this.#parts.machine;
    // What has expired is nobody's fault.
    if (error instanceof RefuseError) log.info("records that were asked for are not kept", { group: this.name, error });
    else log.error("records could not be read back", { group: this.name, error });
  }

  readonly recall: RemoteSession["recall"] = async (wanted) => (await this.#session?.recall(wanted)) ?? [];

  beforeAck(): void {
    this.#parts.hook?.("remote.before-acknowledgement");
  }

  left(session: RemoteSession): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    if (this.#state !== "open") return;
    this.#journals?.sessionEnded();
    try {
      this.commit();
    } catch {
      // Nobody is there to be told; the state says it.
    }
  }

  #closeSegment(): void {
    const journals = this.#journals;
    if (this.#state !== "open" || journals === undefined) return;
    try {
      this.#guarded(() => journals.closeSegment());
    } catch {
      // The state says it.
    }
  }

  #synced(): void {
    this.#marks = this.marks;
    try {
      this.#session?.sayMarks();
    } catch (error) {
      this.#session?.end((error as Error).message);
    }
  }

  /** No room: what was begun is left, and the journals are opened anew when there is some. */
  #full(error: Error): Error {
    this.#leave("full", error);
    this.#parts.machine.log.warn("a group waits for room", { group: this.name, error });
    this.#probeLater();
    return this.#noRoom();
  }

  #probeLater(): void {
    const { machine, options } = this.#parts;
    this.#probe = machine.clock.timer(options.fullProbeMs, () => {
      this.#probe = undefined;
      void this.#inTurn(() => this.#tryAgain());
    });
  }

  async #tryAgain(): Promise<void> {
    if (this.#state !== "full" || this.#isEnding) return;
    const { machine, folder } = this.#parts;
    try {
      await probeRoom(machine.files, folder.path);
    } catch (error) {
      if (isLackOfRoom(error)) this.#probeLater();
      else this.#stop(error as Error);
      return;
    }
    await this.#closeJournals();
    // A sync that was still under way may have failed.
    if (this.#state === "full" && !this.#isEnding) await this.#open();
  }

  #stop(error: Error): Error {
    raiseOwnFault(error, this.#parts.machine.clock);
    if (this.#state === "stopped") return this.#stopped();
    this.#leave("stopped", error);
    this.#parts.machine.log.error("a group is stopped", { group: this.name, error });
    void this.#inTurn(() => this.#closeJournals());
    return this.#stopped();
  }

  #leave(state: "full" | "stopped", error: Error): void {
    this.#state = state;
    this.#failure = error;
    this.#marks = this.marks;
    const why = state === "full" ? this.#noRoom() : this.#stopped();
    this.#session?.end(why.message);
    this.#session = undefined;
  }

  async #closeJournals(): Promise<void> {
    const journals = this.#journals;
    if (journals === undefined) return;
    await journals.close();
    this.#journals = undefined;
    this.#hadFiles = false;
  }

  /** What could not be sealed is tried again at once. */
  trySealing(): void {
    this.#journals?.trySealing();
  }

  /** Somebody waits until the store has all up to there. Throws what keeps the group from it. */
  sealUpTo(seq: number): void {
    const journals = this.#opened();
    this.#guarded(() => journals.sealUpTo(seq));
  }

  /** They are opened again by what lands next. */
  releaseFiles(): void {
    this.#journals?.release();
    this.#hadFiles = false;
  }

  /** In good order: all that is here is durable afterwards, unless the status says otherwise. */
  end(): Promise<void> {
    this.#session?.end("the remote appliance stops");
    this.#session = undefined;
    this.#isEnding = true;
    this.#probe?.cancel();
    this.#journals?.stopSealing();
    return this.#inTurn(async () => {
      const journals = this.#journals;
      if (this.#state === "open" && journals !== undefined) await this.#finish(journals);
      await this.#closeJournals();
    });
  }

  async #finish(journals: GroupJournals): Promise<void> {
    try {
      this.#guarded(() => journals.commit());
      await journals.finish();
    } catch {
      // The state says it, and the next start finds out what counts.
    }
    this.#marks = journals.marks;
  }

  get name(): string {
    return this.#parts.state.state.name;
  }

  get status(): RemoteGroupStatus {
    const { state } = this.#parts;
    const journals = this.#journals;
    return {
      id: state.state.id,
      name: this.name,
      epoch: journals?.receiver.place.epoch ?? state.state.epoch,
      ...this.marks,
      state: this.#state,
      ...(this.#failure === undefined ? {} : { why: this.#failure.message }),
      ...(this.#session === undefined ? {} : { peer: this.#session.peer }),
      timeMicros: journals?.timeMicros ?? 0,
      journalBytes: journals?.journalBytes ?? 0,
      segmentCount: journals?.segmentCount ?? 0,
      unsealedBytes: journals?.unsealedBytes ?? 0,
      ...(journals?.sealFailure === undefined ? {} : { sealWhy: journals.sealFailure.message }),
      ...(journals?.isSealingStuck === true ? { isSealStuck: true } : {}),
      ...(journals?.landed ?? noLanding),
      volumes: journals?.volumes.all ?? state.state.volumes,
      checksumErrors: this.#unsoundCount + this.#journalErrors,
      journalErrors: this.#journalErrors,
    };
  }
}

/** An error that the connection has to hear of, and that leaves the journals as they were. */
function isOfPeer(error: unknown): boolean {
  return [ReconnectError, RefuseError, ResyncError, RetryError].some((kind) => error instanceof kind);
}
