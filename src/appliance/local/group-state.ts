/**
 * What a group of the local appliance must know for certain when it starts, beside its spool: who it is, which life this
 * is, how far its seqs may have gone, which volumes it has. Changes are published one after the other.
 */
import { RetryError, StopError } from "#src/core/errors.ts";
import { type DocumentKind, publishDocument, readMendedDocument } from "#src/host/document.ts";
import { isLackOfRoom } from "#src/host/lack-of-room.ts";
import type { Machine } from "#src/host/machine.ts";
import type { WantedMode } from "./auto-mode.ts";
import type { Mode, ModeSwitch } from "./mode-machine.ts";
import type { Spool } from "./spool.ts";

const kind: DocumentKind = { format: "tidemark-local-group", version: 1 };

/** No machine's. A start that finds it takes what it finds for what a loss of power has left. */
export const noBootId = "none";
const roomCheckMs = 250;
/** More are never lost together: what comes behind the record of a switch says soon that it was durable. */
const notedSwitchesMax = 64;

export interface GroupVolume {
  /** Within the group, from 1 on. */
  readonly number: number;
  readonly id: string;
  readonly name: string;
  readonly sizeBytes: number;
  /** Power was lost, and its interceptor has not said yet that it took note. */
  readonly inDoubt: boolean;
  /** Of the last record that the doubt leaves out; null: it is in none; absent: nobody knows. */
  readonly doubtMicros?: number | null;
  /** Its interceptor has not said yet that it took note of that the group knew nothing of the volume. */
  readonly isNew: boolean;
  /** The last record that cut it; absent: none did, or the remote is known to have it durably. */
  readonly cutSeq?: number;
  /** The seconds between its points; absent: nobody has asked for any, and every write is one. */
  readonly level?: number;
  /** A spool was lost with a record that cut it: the remote may have what was cut off, in regions that nobody has marked. */
  readonly isAllInDoubt?: boolean;
  /** It was removed, and nobody comes with it any more. Its records go on to speak of it by number and name. */
  readonly isGone?: boolean;
}

/** A switch of the mode whose record is in the spool, and not known to be at the remote. */
export interface NotedSwitch {
  readonly seq: number;
  readonly from: Mode;
}

export interface GroupState {
  readonly id: string;
  readonly name: string;
  /** Counts the starts. */
  readonly life: number;
  readonly bootId: string;
  readonly epoch: number;
  /** No record has a seq above this. */
  readonly seqCeiling: number;
  /** The epoch has been raised, and the record that says so is not known to be durable: it will have this seq. */
  readonly epochSeq: number | null;
  /** The last seq when the group was stopped in good order; null while it runs, and after a crash. */
  readonly stoppedAtSeq: number | null;
  /** What the spool's dropped ends have said to be durable; absent: none has said anything. That went when they were dropped. */
  readonly claimedSeq?: number;
  /** Of the spool. */
  readonly incarnation: number;
  /** Where the spool is; null: beside this file. */
  readonly spoolFolder: string | null;
  /** The spool was begun anew, and may not have a file yet. */
  readonly isSpoolNew: boolean;
  readonly wantedMode: WantedMode;
  /** Behind the newest switch whose record was durable. */
  readonly mode: Mode;
  /** In their order; absent: none. */
  readonly switches?: readonly NotedSwitch[];
  readonly volumes: readonly GroupVolume[];
}

const noMove: Pick<GroupState, "spoolFolder" | "isSpoolNew"> = { spoolFolder: null, isSpoolNew: false };

export class GroupStateFile {
  readonly #machine: Machine;
  readonly #path: string;
  /** A bit of the file had been turned. It is written anew with the next change. */
  readonly isMended: boolean;
  #isEnding = false;
  #isHandedOver = false;
  #state: GroupState;
  #ceilingWanted = 0;
  #published: Promise<void> = Promise.resolve();
  /** Changes that were made, and how many of them are durable. */
  #changeCount = 0;
  #durableCount = 0;
  /** Why a change waits, as long as one does. */
  #lack: RetryError | undefined;
  /** Tell those who would rather come again. */
  readonly #hasty = new Set<(lack: RetryError) => void>();
  /** Called each time that a change has to wait for room, for more than a moment. */
  lacksRoom: () => void = () => {};

  private constructor(machine: Machine, path: string, state: GroupState, isMended: boolean) {
    this.#machine = machine;
    this.#path = path;
    this.#state = state;
    this.isMended = isMended;
  }

  static read(machine: Machine, path: string): GroupStateFile | undefined {
    const found = readMendedDocument(machine.files, path, kind);
    if (found === undefined) return undefined;
    const { content, isMended } = found;
    if (typeof content.id !== "string" || !Array.isArray(content.volumes)) {
      throw new StopError(`${path} does not say which group it is for`);
    }
    // Those from before a spool could be moved say nothing of it.
    const state = { ...noMove, ...content } as unknown as GroupState;
    return new GroupStateFile(machine, path, state, isMended);
  }

  static async create(
    machine: Machine,
    path: string,
    state: GroupState,
    lacksRoom: (file: GroupStateFile) => void = () => {},
  ): Promise<GroupStateFile> {
    const file = new GroupStateFile(machine, path, state, false);
    file.lacksRoom = () => lacksRoom(file);
    await file.update({});
    return file;
  }

  get state(): GroupState {
    return this.#state;
  }

  /** Holds at once in memory; resolves when it is durable, together with all changes before it. */
  update(change: Partial<GroupState>): Promise<void> {
    if (this.#isHandedOver) return this.#publish();
    this.#state = { ...this.#state, ...change };
    this.#changeCount++;
    return this.#publish();
  }

  /** As `update`, for who can come again: where there is no room he is told so, and the change waits for it all the same. */
  updateSoon(change: Partial<GroupState>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#hasty.add(reject);
    this.update(change)
      .then(resolve, reject)
      .finally(() => this.#hasty.delete(reject));
    if (this.#lack !== undefined) reject(this.#lack);
    return promise;
  }

  /** All that it says is durable then. An earlier attempt to make it so may have failed, or wait for room as in `updateSoon`. */
  async settled(): Promise<void> {
    if (this.#durableCount < this.#changeCount) await this.updateSoon({});
  }

  /** Its record is durable in the spool. What the remote has is not lost with the spool's end. */
  noteSwitch({ from, to }: Pick<ModeSwitch, "from" | "to">, seq: number, atRemoteSeq: number): Promise<void> {
    const before = (this.#state.switches ?? []).filter((one) => one.seq > atRemoteSeq);
    return this.update({ mode: to, switches: [...before, { seq, from }].slice(-notedSwitchesMax) });
  }

  /** A disk that could not sync may have thrown away what was written, as a loss of power does. */
  async noteLoss(): Promise<void> {
    await this.update({ bootId: noBootId }).catch(() => {});
  }

  /** The last change of all. Without room for it the next start takes this end for a crash, which loses nothing either. */
  async noteStop(stoppedAtSeq: number): Promise<void> {
    try {
      await this.update({ stoppedAtSeq });
    } catch (error) {
      if (!isLackOfRoom(error)) throw error;
      this.#machine.log.warn("there is no room to note that this ends in order: the next start takes it for a crash", {
        path: this.#path,
        error,
      });
    }
  }

  /** Raises the ceiling; it holds only when it is durable. */
  async reserve(seqCeiling: number): Promise<void> {
    this.#ceilingWanted = Math.max(this.#ceilingWanted, seqCeiling);
    await this.#publish();
    this.#state = { ...this.#state, seqCeiling: Math.max(this.#state.seqCeiling, seqCeiling) };
  }

  /** What is written is what holds when the turn comes, so that no later publication takes back an earlier one. */
  #publish(): Promise<void> {
    if (this.#isHandedOver) return Promise.reject(new RetryError(`group '${this.#state.name}' is being opened anew`));
    const published = this.#published.then(() => this.#publishWhenThereIsRoom());
    // Whoever waits for this one hears of its failure; those after it try for themselves.
    this.#published = published.catch(() => {});
    return published;
  }

  /** On a full disk it waits for room, as the group's writers do; and for a descriptor. */
  async #publishWhenThereIsRoom(): Promise<void> {
    for (let attempts = 1; ; attempts++) {
      const seqCeiling = Math.max(this.#state.seqCeiling, this.#ceilingWanted);
      const changeCount = this.#changeCount;
      try {
        await publishDocument(this.#machine.files, this.#path, kind, { ...this.#state, seqCeiling });
        if (attempts > 2) this.#machine.log.info("there is room again: the group goes on", this.#about);
        this.#durableCount = changeCount;
        this.#lack = undefined;
        return;
      } catch (error) {
        // What lasts for a moment is not worth a word.
        if (attempts === 2 && isLackOfRoom(error)) this.lacksRoom();
        if (this.#isEnding || !isLackOfRoom(error)) {
          this.#lack = undefined;
          throw error;
        }
        if (attempts === 2) this.#waitsForRoom(error as Error);
      }
      await new Promise<void>((resolve) => this.#machine.clock.timer(roomCheckMs, resolve));
    }
  }

  #waitsForRoom(cause: Error): void {
    const what = "there is no room to note what a group must know of itself: it waits until you make some";
    this.#machine.log.warn(what, { ...this.#about, error: cause });
    this.#lack = new RetryError(
      `group '${this.#state.name}' has no room on the disk of the local appliance to note what it must know of itself ` +
        `(${cause.message}): make some, and try again`,
      { cause },
    );
    for (const tell of this.#hasty) tell(this.#lack);
  }

  get #about() {
    return { group: this.#state.name, path: this.#path };
  }

  /** From now on a lack of room is an error, since nobody is there to wait. */
  end(): void {
    this.#isEnding = true;
  }

  /** Another object is about to speak for the file: nothing is written through this one when it resolves, nor later. */
  async handOver(): Promise<void> {
    this.#isHandedOver = true;
    await this.#published;
  }
}

/**
 * Under which mode the spool's last record was added, as far as no record in the spool says so. Where switches were lost
 * with the spool's end, what is left of it was added before them.
 */
export function modeAtEnd({ mode, switches = [] }: GroupState, spool: Pick<Spool, "firstSeq" | "lastSeq">): Mode {
  const isEmpty = spool.firstSeq > spool.lastSeq;
  return (isEmpty ? undefined : switches.find(({ seq }) => seq > spool.lastSeq)?.from) ?? mode;
}
