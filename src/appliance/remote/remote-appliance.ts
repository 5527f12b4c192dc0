/**
 * The remote appliance: the groups whose journals are in its folder, and the door through which local appliances come.
 *
 *     FOLDER/segments.json          which numbers of data segments have been given out
 *     FOLDER/groups/GROUP/          group.json, metadata/, segments/
 *
 * One group that cannot be opened does not hinder the others.
 */

import { dirname, join } from "node:path";
import { RefuseError, RetryError, StopError } from "#src/core/errors.ts";
import { remoteGroupCountMax, remoteNameBytesMax } from "#src/core/limits.ts";
import type { FaultHook } from "#src/host/faults.ts";
import { isLackOfRoom } from "#src/host/lack-of-room.ts";
import type { Machine } from "#src/host/machine.ts";
import { raiseOwnFault } from "#src/host/own-fault.ts";
import { whenDone } from "#src/host/when-done.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { wholeJournal } from "#src/journals/journal-start.ts";
import type {
  GroupHello,
  GroupSession,
  GroupSessionOwner,
  GroupSessions,
  GroupWelcome,
  RecalledBlocks,
  WantedBlock,
} from "#src/wire/group-link.ts";
import { Crowd } from "../crowd.ts";
import { GroupEngine } from "./group-engine.ts";
import type { Sealer } from "./group-sealing.ts";
import { OpenFiles } from "./open-files.ts";
import { Receiver } from "./receiver.ts";
import { RemoteGroupStateFile } from "./remote-group-state.ts";
import { type RemoteGroupStatus, unreadableStatus } from "./remote-group-status.ts";
import { type RemoteOptions, remoteDefaults } from "./remote-options.ts";
import { SealTurn } from "./seal-turn.ts";
import { SegmentCatalogue } from "./segment-catalogue.ts";

export interface RemoteApplianceParts {
  readonly machine: Machine;
  /** Its parent is there. */
  readonly folder: string;
  readonly options?: Partial<RemoteOptions>;
  readonly hook?: FaultHook;
  /** Where closed data segments go. Without one they stay where they are. */
  readonly sealer?: Sealer;
}

const groupPattern = /^[0-9a-f]{32}$/;

/** Resolves when all groups are open, or known to be stopped. */
export async function openRemoteAppliance(parts: RemoteApplianceParts): Promise<RemoteAppliance> {
  const { files } = parts.machine;
  const groupsPath = join(parts.folder, "groups");
  files.makeFolder(parts.folder);
  files.makeFolder(groupsPath);
  await whenDone((done) => files.syncFolder(dirname(parts.folder), done));
  await whenDone((done) => files.syncFolder(parts.folder, done));
  // A process that was killed may have made a group and not have come to make its name durable.
  await whenDone((done) => files.syncFolder(groupsPath, done));
  const catalogue = SegmentCatalogue.open(files, parts.folder, parts.sealer?.newestSegment);
  const appliance = new RemoteAppliance(parts, groupsPath, catalogue);
  await appliance.openGroups();
  return appliance;
}

export class RemoteAppliance implements GroupSessions {
  readonly #parts: RemoteApplianceParts;
  readonly #options: RemoteOptions;
  readonly #groupsPath: string;
  readonly #catalogue: SegmentCatalogue;
  readonly #openFiles: OpenFiles;
  readonly #sealTurn: SealTurn;
  readonly #crowd = new Crowd();
  readonly #engines = new Map<string, GroupEngine>();
  readonly #creating = new Map<string, Promise<GroupEngine>>();
  /** Groups whose state cannot be read: they have no engine. */
  readonly #unreadable = new Map<string, Error>();
  #isStopped = false;

  constructor(parts: RemoteApplianceParts, groupsPath: string, catalogue: SegmentCatalogue) {
    this.#parts = parts;
    this.#options = { ...remoteDefaults, ...parts.options };
    this.#openFiles = new OpenFiles(this.#options.openGroupCountMax);
    this.#sealTurn = new SealTurn(this.#options.sealBehindBytesMax);
    this.#groupsPath = groupsPath;
    this.#catalogue = catalogue;
  }

  async openGroups(): Promise<void> {
    const { files, log } = this.#parts.machine;
    for (const id of files.list(this.#groupsPath).filter((name) => groupPattern.test(name))) {
      try {
        const state = RemoteGroupStateFile.read(files, join(this.#groupsPath, id), id);
        // Without a state nothing was ever taken: it is made when its local appliance comes again.
        if (state === undefined) continue;
        if (state.isMended) await this.#writeAnew(state);
        await this.#openEngine(state);
      } catch (error) {
        this.#unreadable.set(id, error instanceof StopError ? withWayOut(error) : (error as Error));
        log.error("a group cannot be read", { group: id, error });
      }
    }
  }

  /** A bit of it had been turned. Two would be too many. */
  async #writeAnew(state: RemoteGroupStateFile): Promise<void> {
    const { clock, log } = this.#parts.machine;
    log.warn("a bit of what is noted of a group had been turned, and is turned back", { group: state.state.id });
    try {
      await state.update({});
    } catch (error) {
      raiseOwnFault(error, clock);
      // It is turned back at the next start too.
      log.warn("what is noted of a group could not be written anew", { group: state.state.id, error });
    }
  }

  async #openEngine(state: RemoteGroupStateFile): Promise<GroupEngine> {
    const { machine, hook, sealer } = this.#parts;
    const engine = new GroupEngine({
      machine,
      folder: new JournalFolder(join(this.#groupsPath, state.state.id)),
      state,
      catalogue: this.#catalogue,
      options: this.#options,
      hook,
      sealer,
      sealTurn: this.#sealTurn,
      crowd: this.#crowd,
      openedFiles: (holder) => this.#openFiles.opened(holder),
    });
    this.#engines.set(state.state.id, engine);
    await engine.open();
    return engine;
  }

  async open(hello: GroupHello, session: GroupSession): Promise<{ welcome: GroupWelcome; owner: GroupSessionOwner }> {
    if (this.#isStopped) throw new RetryError("the remote appliance stops");
    checkHello(hello);
    const unreadable = this.#unreadable.get(hello.group);
    if (unreadable !== undefined) throw unreadable;
    const engine = this.#engines.get(hello.group) ?? (await this.#created(hello));
    return engine.admit(hello, session);
  }

  #created(hello: GroupHello): Promise<GroupEngine> {
    let creating = this.#creating.get(hello.group);
    if (creating === undefined) {
      creating = this.#createWithRoom(hello).finally(() => this.#creating.delete(hello.group));
      this.#creating.set(hello.group, creating);
    }
    return creating;
  }

  async #createWithRoom(hello: GroupHello): Promise<GroupEngine> {
    try {
      return await this.#create(hello);
    } catch (error) {
      if (!isLackOfRoom(error)) throw error;
      throw new RetryError(`there is no room for a new group: ${(error as Error).message}`, { cause: error });
    }
  }

  async #create(hello: GroupHello): Promise<GroupEngine> {
    new Receiver({ epoch: 0, received: 0 }).judge(hello, { writer: "", life: 0, epoch: 0 });
    if (this.#engines.size + this.#creating.size >= remoteGroupCountMax) {
      throw new RefuseError(`there are ${remoteGroupCountMax} groups here already`);
    }
    const { files, randomness } = this.#parts.machine;
    const path = join(this.#groupsPath, hello.group);
    new JournalFolder(path).makeNow(files);
    const state = await RemoteGroupStateFile.create(files, path, {
      id: hello.group,
      name: hello.groupName,
      writer: "",
      life: 0,
      epoch: 0,
      incarnation: randomness.integerBelow(2 ** 32),
      checkpointSeq: 0,
      storedSeq: 0,
      journalStart: wholeJournal,
      volumes: [],
    });
    await whenDone((done) => files.syncFolder(this.#groupsPath, done));
    return this.#openEngine(state);
  }

  status(): RemoteGroupStatus[] {
    const unreadable = [...this.#unreadable].map(([id, { message }]) => unreadableStatus(id, message));
    return [...[...this.#engines.values()].map((engine) => engine.status), ...unreadable];
  }

  /** What could not be sealed is tried again at once, in all groups. */
  trySealing(): void {
    for (const engine of this.#engines.values()) engine.trySealing();
  }

  /** Somebody waits until the store has all of the group's records up to there. Throws what keeps the group from it. */
  sealUpTo(group: string, seq: number): void {
    const engine = this.#engines.get(group);
    if (engine === undefined) throw new RefuseError(`there is no group ${group.slice(0, 32)} here`);
    engine.sealUpTo(seq);
  }

  /** What the group's local appliance still has of blocks that were lost here, unchecked. Nothing while it is not there. */
  async recall(group: string, wanted: readonly WantedBlock[]): Promise<RecalledBlocks> {
    return (await this.#engines.get(group)?.recall(wanted)) ?? [];
  }

  /** Connections end; what is here is durable afterwards. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.allSettled(this.#creating.values());
    await Promise.all([...this.#engines.values()].map((engine) => engine.end()));
  }
}

/** Of a group whose state is damaged. */
function withWayOut(error: StopError): StopError {
  const wayOut = "'tidemark rebuild --in-place' makes the group anew of what the store has of it";
  return new StopError(`${error.message}; ${wayOut}`, { cause: error });
}

/** The group's name becomes a folder's, the rest is kept: so they are what they should be. */
function checkHello(hello: GroupHello): void {
  if (!groupPattern.test(hello.group)) throw new RefuseError("a group is named by 32 hexadecimal digits");
  const names = [hello.groupName, hello.writer];
  if (names.some((name) => name.length === 0 || Buffer.byteLength(name) > remoteNameBytesMax)) {
    throw new RefuseError(`names have 1 to ${remoteNameBytesMax} bytes`);
  }
  const numbers = [hello.life, hello.epoch, hello.firstSeq, hello.lastSeq];
  const isCounting = numbers.every((number) => Number.isSafeInteger(number) && number >= 0);
  if (!isCounting || hello.life === 0 || hello.epoch === 0 || hello.firstSeq > hello.lastSeq) {
    throw new RefuseError("the hello names numbers that do not belong together");
  }
}
