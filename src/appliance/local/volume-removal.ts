/**
 * The end of a volume at this side: its group goes on without it, and keeps nothing for its source. Its number and its name
 * stay, since the remote appliance's history speaks of them, and numbers are never given again.
 */
import { RefuseError, RetryError } from "#src/core/errors.ts";
import type { GroupStateFile, GroupVolume } from "./group-state.ts";
import { type GroupVolumes, wasRemoved } from "./group-volumes.ts";
import type { LeftGroups } from "./left-groups.ts";
import type { LocalGroup } from "./local-group.ts";
import type { MovingGroup } from "./moving-group.ts";
import type { StoppedGroup } from "./stopped-group.ts";

export interface GroupsOfVolumes {
  readonly groups: ReadonlyMap<string, LocalGroup>;
  readonly stopped: ReadonlyMap<string, StoppedGroup>;
  readonly moving: ReadonlyMap<string, MovingGroup>;
  readonly left: Pick<LeftGroups, "unknown">;
}

/** A volume whose interceptor is lost, so that nobody is left who would tell of it by its id. */
export interface LostVolume {
  readonly group: string;
  readonly name: string;
  /** Volumes that are somebody's, whatever they are called. */
  readonly keptIds: readonly string[];
}

export class VolumeRemovals {
  readonly #parts: GroupsOfVolumes;
  /** By their ids, since the start: one of them may be on its way into a group that has not met it yet. */
  readonly #forgotten = new Set<string>();

  constructor(parts: GroupsOfVolumes) {
    this.#parts = parts;
  }

  refuse({ id, name }: { readonly id: string; readonly name: string }): void {
    if (this.#forgotten.has(id)) throw wasRemoved(name);
  }

  /** The earliest of the name that nobody has: it may have been added anew since then. */
  async forgetLost({ group: groupName, name, keptIds }: LostVolume): Promise<void> {
    const { groups, stopped, moving } = this.#parts;
    const group = groups.get(groupName);
    const state = (moving.get(groupName) ?? stopped.get(groupName) ?? group)?.state;
    if (state === undefined) throw new RefuseError(`there is no group '${groupName}'`);
    const named = state.state.volumes.filter((one) => one.name === name && one.isGone !== true);
    const lost = named.find((one) => !keptIds.includes(one.id) && !isClaimed(one, group?.volumes));
    if (lost !== undefined) return this.forget(lost.id);
    throw new RefuseError(
      named.length === 0
        ? `group '${groupName}' has no volume '${name}', or has forgotten it already`
        : `somebody has volume '${name}' of group '${groupName}': 'tidemark volume rm ${name}' there ends its protection`,
    );
  }

  /** Resolves when it is durable; done again, it changes nothing. */
  async forget(id: string): Promise<void> {
    const { groups, stopped, moving, left } = this.#parts;
    const has = ({ state }: { readonly state: GroupStateFile }): boolean =>
      state.state.volumes.some((one) => one.id === id);
    for (const group of moving.values()) if (has(group)) throw group.refusal;
    this.#forgotten.add(id);
    if (left.unknown !== undefined && ![...groups.values(), ...stopped.values()].some(has)) {
      throw new RetryError(`the volume may be one of a group that cannot be read: ${left.unknown.why}`);
    }
    for (const group of groups.values()) await forgetIn(group, id);
    for (const { state } of stopped.values()) await noteGone(state, id);
  }
}

function isClaimed({ number }: GroupVolume, volumes: GroupVolumes | undefined): boolean {
  const claim = volumes?.claim(number);
  if (claim !== undefined) volumes?.unclaim(number, claim);
  return volumes !== undefined && claim === undefined;
}

async function forgetIn(group: LocalGroup, id: string): Promise<void> {
  const volume = group.state.state.volumes.find((one) => one.id === id);
  if (volume === undefined) return;
  // An attempt before this one may have failed to note it.
  if (volume.isGone === true) return group.state.settled();
  await group.volumes.forget(volume);
  group.levels.forget(volume.number);
}

/** Of a group that does nothing at the moment. */
async function noteGone(state: GroupStateFile, id: string): Promise<void> {
  const { volumes } = state.state;
  const volume = volumes.find((one) => one.id === id);
  if (volume === undefined) return;
  if (volume.isGone === true) return state.settled();
  await state.update({ volumes: volumes.map((one) => (one === volume ? { ...one, isGone: true } : one)) });
}
