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
import { noFigures, type VolumeDefinition, type VolumeFacts, type WantedMode } from "./role.ts";
import type { AddVolume } from "./side.ts";
import { endlessly, type SideClient } from "./side-client.ts";

export interface VolumeKeeperParts {
  readonly catalogue: Catalogue;
  readonly side: Pick<SideClient, "ask">;
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
}

export class VolumeKeeper {
  readonly #parts: VolumeKeeperParts;
  /** Names that are being added or removed. */
  readonly #busy = new Set<string>();
  readonly #opening = new Set<string>();
  readonly #failures = new Map<string, string>();

  constructor(parts: VolumeKeeperParts) {
    this.#parts = parts;
  }

  /** Begins to open all of them. One that cannot be opened is shown as failed, and keeps no other from its work. */
  openAll(): void {
    for (const volume of this.#parts.catalogue.list()) void this.#open({ volume, isNew: false }).catch(() => {});
  }

  get isOpening(): boolean {
    return this.#opening.size > 0;
  }

  find(name: string): VolumeDefinition | undefined {
    return this.#parts.catalogue.find(name);
  }

  countIn(group: string): number {
    return this.#parts.catalogue.list().filter((volume) => volume.group === group).length;
  }

  async add(request: VolumeRequest): Promise<VolumeDefinition> {
    const name = checkName(request.name, "a volume's name");
    const group = checkName(request.group ?? name, "a group's name");
    if (this.find(name) !== undefined) throw new RefuseError(`there is a volume '${name}' already`);
    return this.#alone(name, async () => {
      const { source, sizeBytes: createBytes, mode } = request;
      const { sizeBytes, hasContent } = await this.#parts.side.ask("measure", {
        source,
        ...(createBytes === undefined ? {} : { createBytes }),
      });
      const id = this.#parts.randomness.bytes(volumeIdBytes).toString("hex");
      const volume = { id, name, group, source, sizeBytes, baseMissing: hasContent };
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
    const opening = this.#open({ volume, isNew: true, ...(mode === undefined ? {} : { mode }) });
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#parts.clock.timer(sidePatienceMs, resolve);
    try {
      await Promise.race([opening, late]);
    } catch (error) {
      this.#failures.delete(volume.name);
      await this.#parts.catalogue.remove(volume.name);
      throw error;
    } finally {
      timer.cancel();
      opening.catch(() => {});
    }
  }

  async #open(ask: AddVolume): Promise<void> {
    const { name } = ask.volume;
    this.#opening.add(name);
    this.#failures.delete(name);
    try {
      // What a source lacks after a bad day takes as long as it takes.
      await this.#parts.side.ask("addVolume", ask, endlessly);
      this.#parts.log.info("a volume is open", { volume: name });
    } catch (error) {
      this.#failures.set(name, (error as Error).message);
      this.#parts.log.error("a volume could not be opened", { volume: name, error });
      throw error;
    } finally {
      this.#opening.delete(name);
    }
  }

  /** The source stays as it is. */
  async remove(name: string, isForced: boolean): Promise<void> {
    if (this.find(name) === undefined) throw new RefuseError(`there is no volume '${name}'`);
    await this.#alone(name, async () => {
      await this.#parts.side.ask("removeVolume", { name, isForced });
      await this.#parts.catalogue.remove(name);
      this.#failures.delete(name);
    });
  }

  async #alone<Result>(name: string, act: () => Promise<Result>): Promise<Result> {
    if (this.#busy.has(name)) throw new RefuseError(`volume '${name}' is being added or removed; wait for that`);
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

  #describeAbsent({ id, ...known }: VolumeDefinition): VolumeFacts {
    const failure = this.#failures.get(known.name);
    return {
      ...known,
      state: failure === undefined ? "opening" : "failed",
      ...(failure === undefined ? {} : { why: failure }),
      ...noFigures,
    };
  }
}
