/**
 * The volumes, as operators add and remove them: the catalogue says which there are, the local side works for them. A
 * volume is in the catalogue before any host can write to it, so that none is ever protected and then forgotten.
 */
import { RefuseError } from "#src/core/errors.ts";
import { sidePatienceMs, volumeIdBytes } from "#src/core/limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import type { Randomness } from "#src/host/randomness.ts";
import type { Catalogue } from "./catalogue.ts";
import { checkName } from "./name.ts";
import type { GroupReport } from "./readiness.ts";
import { RemovedVolumes } from "./removed-volumes.ts";
import {
  type GroupFacts,
  noFigures,
  type RemoteGroupFacts,
  type ViewOrigin,
  type VolumeDefinition,
  type VolumeFacts,
  type WantedMode,
} from "./role.ts";
import type { AddedVolume, AddVolume, SourceHold } from "./side.ts";
import { endlessly, type SideClient } from "./side-client.ts";

export interface VolumeKeeperParts {
  readonly catalogue: Catalogue;
  readonly side: Pick<SideClient, "ask" | "ended">;
  readonly randomness: Randomness;
  readonly clock: Clock;
  readonly log: Log;
}

export interface VolumeRequest {
  readonly name: string;
  readonly source: string;
  /** Unless told otherwise a volume is its own group. */
  readonly group?: string;
  /** Of a group that this volume begins. */
  readonly mode?: WantedMode;
  /** Makes the source, a sparse file of this size. */
  readonly sizeBytes?: number;
  /** The source is a copy of this view. */
  readonly ofView?: ViewOrigin;
}

export interface ResizeRequest {
  readonly sizeBytes: number;
  /** The volume's name once more, where it is to be made smaller. */
  readonly confirm?: string;
}

export interface VolumeRemoval {
  /** Its source is still held: by what, and what that means. Absent: it was let go of. */
  readonly sourceHeld?: string;
}

export class VolumeKeeper {
  readonly #parts: VolumeKeeperParts;
  /** Names that are being added, removed or resized. */
  readonly #busy = new Set<string>();
  readonly #opening = new Set<string>();
  readonly #failures = new Map<string, string>();
  readonly #removed: RemovedVolumes;

  constructor(parts: VolumeKeeperParts) {
    this.#parts = parts;
    this.#removed = new RemovedVolumes(parts);
  }

  /** Begins to open all of them. One that cannot be opened is shown as failed, and keeps no other from its work. */
  openAll(): void {
    for (const volume of this.#parts.catalogue.list()) void this.#open({ volume, isNew: false }).catch(() => {});
    this.#removed.begin();
  }

  get isOpening(): boolean {
    return this.#opening.size > 0;
  }

  find(name: string): VolumeDefinition | undefined {
    return this.#parts.catalogue.find(name);
  }

  /** Of all that are protected. */
  get ids(): readonly string[] {
    return this.#parts.catalogue.list().map(({ id }) => id);
  }

  /** Those that are in none of these groups. One of the same name may be. */
  unknownTo(remoteGroups: readonly Pick<RemoteGroupFacts, "volumes">[]): readonly VolumeDefinition[] {
    const known = new Set(remoteGroups.flatMap(({ volumes }) => volumes.map(({ id }) => id)));
    return this.#parts.catalogue.list().filter(({ id }) => !known.has(id));
  }

  /** With the volumes that are in the catalogue: what is told of groups knows of those that were removed too. */
  describeGroups(told: readonly GroupFacts[]): GroupReport[] {
    const byGroup = Map.groupBy(this.#parts.catalogue.list(), ({ group }) => group);
    return told.map(({ levels = [], ...group }) => {
      const volumeNames = (byGroup.get(group.name) ?? []).map(({ name }) => name);
      const known = levels.filter(({ volume }) => volumeNames.includes(volume));
      return { ...group, volumes: volumeNames.length, volumeNames, ...(known.length === 0 ? {} : { levels: known }) };
    });
  }

  async add(request: VolumeRequest): Promise<VolumeDefinition> {
    const name = checkName(request.name, "a volume's name");
    const group = checkName(request.group ?? name, "a group's name");
    if (request.ofView !== undefined) checkName(request.ofView.name, "a view's name");
    if (this.find(name) !== undefined) throw new RefuseError(`there is a volume '${name}' already`);
    const other = this.#parts.catalogue.list().find((volume) => volume.source === request.source);
    if (other !== undefined) throw new RefuseError(`${request.source} is protected already, as volume '${other.name}'`);
    return this.#alone(name, async () => {
      const { source, sizeBytes: createBytes, mode, ofView } = request;
      const { sizeBytes, hasContent } = await this.#parts.side.ask("measure", {
        source,
        ...(createBytes === undefined ? {} : { createBytes }),
      });
      const id = this.#parts.randomness.bytes(volumeIdBytes).toString("hex");
      const origin = ofView === undefined ? {} : { ofView };
      const volume = { id, name, group, source, sizeBytes, baseMissing: hasContent, ...origin };
      try {
        await this.#parts.catalogue.add(volume);
        await this.#openNew(volume, mode);
      } catch (error) {
        if (createBytes !== undefined) await this.#unmake(source);
        throw error;
      }
      return volume;
    });
  }

  /** Where it is left over, the next attempt says so. */
  async #unmake(source: string): Promise<void> {
    await this.#parts.side.ask("unmake", { source }).catch((error: Error) => {
      this.#parts.log.warn("a source that was made for nothing is left over", { source, error });
    });
  }

  /** A volume that cannot be opened is not kept; one that takes its time is, and goes on opening. */
  async #openNew(volume: VolumeDefinition, mode: WantedMode | undefined): Promise<void> {
    try {
      await this.#patiently(this.#open({ volume, isNew: true, ...(mode === undefined ? {} : { mode }) }));
    } catch (error) {
      this.#failures.delete(volume.name);
      await this.#parts.catalogue.remove(volume.name);
      // Its group may have met it.
      void this.#removed.tell(volume.id);
      throw error;
    }
  }

  /** Resolves also when it takes its time: it goes on, if need be at the next start. */
  async #patiently(work: Promise<unknown>): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#parts.clock.timer(sidePatienceMs, resolve);
    work.catch(() => {});
    try {
      await Promise.race([work, late, this.#parts.side.ended]);
    } finally {
      timer.cancel();
    }
  }

  async #open(ask: AddVolume): Promise<AddedVolume> {
    const { name, resizeTo } = ask.volume;
    this.#opening.add(name);
    this.#failures.delete(name);
    try {
      // What a source lacks after a bad day takes as long as it takes.
      const added = await this.#parts.side.ask("addVolume", ask, endlessly);
      this.#parts.log.info("a volume is open", { volume: name });
      // It may have been removed meanwhile.
      if (resizeTo !== undefined && this.find(name)?.id === ask.volume.id) await this.#noteResized(added);
      return added;
    } catch (error) {
      this.#failures.set(name, (error as Error).message);
      this.#parts.log.error("a volume could not be opened", { volume: name, error });
      throw error;
    } finally {
      this.#opening.delete(name);
    }
  }

  /** Hosts are hung up on, and find the new size when they come again. What takes its time goes on. */
  async resize(name: string, { sizeBytes, confirm }: ResizeRequest): Promise<void> {
    const volume = this.find(name);
    if (volume === undefined) throw new RefuseError(`there is no volume '${name}'`);
    if (volume.resizeTo !== undefined) {
      throw new RefuseError(
        `volume '${name}' is being resized to ${volume.resizeTo} bytes: wait until that has ended; its state says what for it waits`,
      );
    }
    if (sizeBytes === volume.sizeBytes) return;
    if (sizeBytes === 0) throw new RefuseError("a volume has a size");
    if (sizeBytes < volume.sizeBytes && confirm !== name) throw new RefuseError(unconfirmed(name, sizeBytes));
    await this.#patiently(this.#resize(volume, sizeBytes));
  }

  /** What the catalogue says is carried out, now or at the next start. While that takes its time the volume may be removed. */
  async #resize(volume: VolumeDefinition, sizeBytes: number): Promise<void> {
    const { opening } = await this.#alone(volume.name, () => this.#orderSize(volume, sizeBytes));
    const { refusal } = await opening;
    if (refusal !== undefined) throw new RefuseError(refusal);
  }

  async #orderSize(volume: VolumeDefinition, sizeBytes: number): Promise<{ opening: Promise<AddedVolume> }> {
    const reopen = (): void => void this.#open({ volume, isNew: false }).catch(() => {});
    const unfit = await this.#parts.side.ask("releaseVolume", { volume, sizeBytes }, endlessly);
    if (unfit !== null) {
      reopen();
      throw new RefuseError(unfit);
    }
    const ordered = { ...volume, resizeTo: sizeBytes };
    try {
      await this.#parts.catalogue.replace(ordered);
    } catch (error) {
      await this.#parts.catalogue.replace(volume).catch(() => {});
      reopen();
      throw error;
    }
    const opening = this.#open({ volume: ordered, isNew: false });
    opening.catch(() => {});
    return { opening };
  }

  /** The volume works all the same: if this is not durable, the next start finds nothing left to do but this. */
  async #noteResized({ volume, refusal }: AddedVolume): Promise<void> {
    const { name, sizeBytes } = volume;
    if (refusal === undefined) this.#parts.log.info("a volume has been resized", { volume: name, sizeBytes });
    else this.#parts.log.warn("a volume keeps its size", { volume: name, why: refusal });
    await this.#parts.catalogue.replace(volume).catch((error: Error) => {
      this.#parts.log.error("a volume's size could not be noted", { volume: name, error });
    });
  }

  /** The source stays as it is. */
  async remove(name: string, isForced: boolean): Promise<VolumeRemoval> {
    const volume = this.find(name);
    if (volume === undefined) throw new RefuseError(`there is no volume '${name}'`);
    return this.#alone(name, async () => {
      const hold = await this.#parts.side.ask("removeVolume", { name, isForced });
      try {
        await this.#parts.catalogue.remove(name);
      } catch (error) {
        // The next start would find it again: so it goes on being protected.
        await this.#parts.catalogue.replace(volume).catch(() => {});
        void this.#open({ volume, isNew: false }).catch(() => {});
        throw error;
      }
      this.#failures.delete(name);
      await this.#removed.told(volume.id);
      return hold === null ? {} : { sourceHeld: sourceHeld(volume.source, hold) };
    });
  }

  async #alone<Result>(name: string, act: () => Promise<Result>): Promise<Result> {
    if (this.#busy.has(name))
      throw new RefuseError(`volume '${name}' is being added, removed or resized; wait for that`);
    this.#busy.add(name);
    try {
      return await act();
    } finally {
      this.#busy.delete(name);
    }
  }

  /** All that are in the catalogue: what the side told of them, and of the others why there is nothing to tell. */
  describe(told: readonly VolumeFacts[]): VolumeFacts[] {
    const byName = new Map(told.map((facts) => [facts.name, facts]));
    return this.#parts.catalogue.list().map((volume) => byName.get(volume.name) ?? this.#describeAbsent(volume));
  }

  #describeAbsent({ id, previousBytes, ...known }: VolumeDefinition): VolumeFacts {
    const failure = this.#failures.get(known.name);
    return {
      ...known,
      state: failure === undefined ? "opening" : "failed",
      ...(failure === undefined ? {} : { why: failure }),
      ...noFigures,
    };
  }
}

function sourceHeld(source: string, hold: SourceHold): string {
  if (hold === "source") {
    return (
      `${source} does not answer, and is held until it does, or until this program is started anew: what was under way may still ` +
      "be written to it, and its group may wait for it until then"
    );
  }
  return (
    `${source} is held until the volume's opening has come to its end, or until this program is started anew: the source may not ` +
    "answer, or, in sync, the remote appliance not have yet what the source lacks; 'tidemark status' says whether the link is up"
  );
}

function unconfirmed(name: string, sizeBytes: number): string {
  return (
    `volume '${name}' would lose all behind ${sizeBytes} bytes, which only older points keep: ` +
    `--confirm ${name} says that this is meant`
  );
}
