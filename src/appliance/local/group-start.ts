/**
 * How a group starts: what its state says and what the spool has are brought together, before anything is added.
 *
 * | how it ended                    | epoch    | next seq                        | volumes  |
 * | ------------------------------- | -------- | ------------------------------- | -------- |
 * | there was no group              | 1        | 1                               | sound    |
 * | stopped in good order           | the same | after the last in the spool     | sound    |
 * | killed, the machine went on     | the same | after the last in the spool     | sound    |
 * | the machine lost its power      | the next | beyond the ceiling              | in doubt |
 * | either, before the next epoch's | as begun | beyond the ceiling, as begun    | in doubt |
 * | record was durable              |          |                                 |          |
 *
 * A spool that was begun anew (`spoolAnew`) counts like the last row.
 *
 * Where the end of the spool has to be dropped, or a sync of it has failed, that counts as a loss of power.
 *
 * A process that is killed loses nothing that it had written; without power, what was not synced is lost, and what had
 * been given a seq may be anywhere: at the remote, or in the source. So those seqs are never given again.
 */
import { StopError } from "#src/core/errors.ts";
import type { Machine } from "#src/host/machine.ts";
import type { WantedMode } from "./auto-mode.ts";
import type { GroupPolicy } from "./group-policy.ts";
import { type GroupState, GroupStateFile } from "./group-state.ts";

export interface NewGroup {
  readonly id: string;
  readonly name: string;
  readonly mode: WantedMode;
}

export async function openGroupState(
  machine: Machine,
  path: string,
  create: NewGroup,
  lacksRoom: (state: GroupStateFile) => void = () => {},
): Promise<GroupStateFile> {
  const found = GroupStateFile.read(machine, path);
  if (found !== undefined) {
    if (found.state.id !== create.id)
      throw new StopError(`${path} belongs to the group ${found.state.id}, not to ${create.id}`);
    if (found.isMended) {
      machine.log.warn("a bit of what is noted of a group had been turned, and is turned back", { group: create.name });
    }
    found.lacksRoom = () => lacksRoom(found);
    return found;
  }
  const state: GroupState = {
    id: create.id,
    name: create.name,
    life: 0,
    bootId: machine.bootId,
    epoch: 1,
    seqCeiling: 0,
    epochSeq: null,
    stoppedAtSeq: 0,
    incarnation: machine.randomness.integerBelow(2 ** 32),
    spoolFolder: null,
    isSpoolNew: false,
    wantedMode: create.mode,
    mode: create.mode === "auto" ? "async" : create.mode,
    volumes: [],
  };
  return GroupStateFile.create(machine, path, state, lacksRoom);
}

/** What the new life begins with, given what the spool was found to hold. Pure. */
export function beginLife(
  state: GroupState,
  lastSeq: number,
  bootId: string,
  policy: GroupPolicy,
): Partial<GroupState> {
  const life = state.life + 1;
  // Whatever is found in it lies in a file: when that is gone one day, more is lost than nothing.
  const isSpoolNew = state.isSpoolNew && lastSeq === 0;
  const lostPower = state.stoppedAtSeq === null && state.bootId !== bootId;
  if (lostPower) {
    const epochSeq = Math.max(state.seqCeiling, lastSeq) + 1;
    const volumes = state.volumes.map((volume) => ({ ...volume, inDoubt: true }));
    const seqCeiling = epochSeq + policy.seqReserve;
    return { life, bootId, isSpoolNew, stoppedAtSeq: null, epoch: state.epoch + 1, epochSeq, seqCeiling, volumes };
  }
  const epochSeq = state.epochSeq !== null && lastSeq < state.epochSeq ? state.epochSeq : null;
  const seqCeiling = Math.max(state.seqCeiling, (epochSeq ?? lastSeq) + policy.seqReserve);
  return { life, bootId, isSpoolNew, stoppedAtSeq: null, epochSeq, seqCeiling };
}
