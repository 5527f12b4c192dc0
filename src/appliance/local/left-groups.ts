/**
 * Folders of groups that a start has left as they are: the group's state cannot be read, or another folder has a group of the
 * same name. Neither keeps other groups from their work; but no group is begun anew that may be one of these.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { RefuseError, RetryError, StopError } from "#src/core/errors.ts";
import { isLackOfRoom } from "#src/host/lack-of-room.ts";
import type { Machine } from "#src/host/machine.ts";
import type { GroupFigures } from "./group-figures.ts";
import type { GroupPolicy } from "./group-policy.ts";
import { GroupStateFile } from "./group-state.ts";
import { figuresWithoutSpool } from "./stopped-group.ts";

/** By which it is told while nobody knows what it is called, or another one is called so. */
export type FolderName = string;

export class LeftGroup {
  readonly id: FolderName;
  /** Undefined: nobody knows. */
  readonly name: string | undefined;
  readonly #failure: Error;

  constructor(id: FolderName, name: string | undefined, failure: Error) {
    this.id = id;
    this.name = name;
    this.#failure = failure;
  }

  /** It lacked a descriptor: there may be one later. */
  get mayPass(): boolean {
    return this.#failure instanceof RetryError || isLackOfRoom(this.#failure);
  }

  get why(): string {
    const { message } = this.#failure;
    if (this.mayPass) return `${message}: it is tried again by itself`;
    // Whoever refuses a document of another version, or a second group of a name, has said what to do.
    if (this.#failure instanceof RefuseError) return message;
    if (this.name !== undefined) return `${message}: mend that and start anew`;
    return (
      `${message}: nobody knows which group it is of; bring the file back as it was and start anew, or, where it is lost, take ` +
      "the folder away and start anew: its volumes then begin another group, to which their sources are copied whole"
    );
  }
}

export class LeftGroups {
  readonly #left = new Map<FolderName, LeftGroup>();
  readonly #policy: GroupPolicy;

  constructor(policy: GroupPolicy) {
    this.#policy = policy;
  }

  set(left: LeftGroup): void {
    this.#left.set(left.id, left);
  }

  delete(id: FolderName): void {
    this.#left.delete(id);
  }

  get(id: FolderName): LeftGroup | undefined {
    return this.#left.get(id);
  }

  /** Why a group of this name, which no other folder has, is not begun. */
  refusalOf(name: string): RetryError | undefined {
    const left = [...this.#left.values()].find((one) => (one.name ?? name) === name);
    if (left === undefined) return undefined;
    const folder = left.name === undefined ? "a folder may be that of this group" : "a folder of this group is there";
    return new RetryError(
      `group '${name}' is not begun: ${folder} (${left.id}), and was left as it is, since ${left.why}`,
    );
  }

  /** One of which nobody knows what volumes it has. */
  get unknown(): LeftGroup | undefined {
    return [...this.#left.values()].find(({ name }) => name === undefined);
  }

  figures(): GroupFigures[] {
    return [...this.#left.values()].map(({ id, why }) => {
      const nothing = { id, name: id, mode: "async", wantedMode: "async", epoch: 0, volumes: [] } as const;
      return figuresWithoutSpool(nothing, this.#policy, { state: "stopped", why });
    });
  }
}

/**
 * What the folder with this name has, which is called by the id of its group; `isTaken`: by a group of another one. Undefined: nothing
 * that would have come to be a group.
 */
export function readFound(
  machine: Machine,
  groupsFolder: string,
  id: FolderName,
  isTaken: (name: string) => boolean,
): GroupStateFile | LeftGroup | undefined {
  const folder = `${groupsFolder}/${id}`;
  try {
    const found = GroupStateFile.read(machine, `${folder}/group.json`);
    if (found === undefined) return undefined;
    const { name, id: foundId } = found.state;
    if (foundId !== id) return new LeftGroup(id, name, isCopy(folder, foundId));
    return isTaken(name) ? new LeftGroup(id, name, isSecond(folder, name)) : found;
  } catch (error) {
    if (isOwnFault(error)) throw error;
    return new LeftGroup(id, undefined, unreadable(folder, error as Error));
  }
}

function unreadable(folder: string, cause: Error): Error {
  if (cause instanceof StopError || cause instanceof RefuseError) return cause;
  const message = `${folder}/group.json cannot be read: ${cause.message}`;
  return isLackOfRoom(cause) ? new RetryError(message, { cause }) : new StopError(message, { cause });
}

function isCopy(folder: string, foundId: string): RefuseError {
  return new RefuseError(
    `${folder} holds the group ${foundId}, as the copy of a folder does: take it away, or give it back its name, and start anew`,
  );
}

function isSecond(folder: string, name: string): RefuseError {
  return new RefuseError(
    `${folder} holds a group '${name}', and so does another folder, whose group was started: take away the one that is not ` +
      "the right one, and start anew",
  );
}
