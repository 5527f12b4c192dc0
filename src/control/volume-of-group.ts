/** Volumes as a remote appliance knows them, by the names that people give. */
import { RefuseError } from "#src/core/errors.ts";
import { nearestName } from "#src/core/nearest-name.ts";
import type { RemoteVolume } from "#src/journals/volume-table.ts";
import type { NamedPoint } from "./named-point.ts";

export interface VolumesOfGroup {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** The last durable record. */
  readonly durable: number;
  readonly volumes: readonly RemoteVolume[];
  /** The local appliance that is connected. */
  readonly peer?: string;
  /** Why it is not open. */
  readonly why?: string;
}

export interface VolumeOfGroup {
  readonly group: VolumesOfGroup;
  readonly volume: RemoteVolume;
}

/** Of a group's id, where several have one name: a local appliance that has lost all of its data begins its groups anew. */
export const idDigits = 8;

/**
 * `GROUP/VOLUME` where several groups have one of the name, with the first digits of the group's id where several groups have
 * the same one. A volume that was removed and added again is another one: the newest counts, unless its number stands behind the
 * name, as in `disk#1`. Throws a `RefuseError` where it is none, or not only one.
 */
export function findVolume(groups: readonly VolumesOfGroup[], wanted: string): VolumeOfGroup {
  const all = groups.flatMap((group) => group.volumes.map((volume) => ({ group, volume })));
  const found = all.filter((one) => namesOf(one).includes(wanted));
  const newest = found.at(-1);
  const isOne = found.every(({ group }) => group.id === newest?.group.id);
  if (newest !== undefined && isOne) return newest;
  if (newest !== undefined) {
    const groupsFound = [...new Set(found.map(({ group }) => group))];
    const isAlone = ({ name }: VolumesOfGroup): boolean => groupsFound.filter((one) => one.name === name).length === 1;
    const [number = ""] = numbered.exec(wanted) ?? [];
    const names = new Set(found.map((one) => plainNamesOf(one)[isAlone(one.group) ? 1 : 2] + number));
    throw new RefuseError(`several groups have a volume '${wanted}': say which one, of ${[...names].join(", ")}`);
  }
  const names = all.map(({ volume }) => volume.name);
  const nearest = nearestName(wanted, names);
  const advice = unknownVolumes(groups) ?? (nearest === undefined ? "" : `; did you mean '${nearest}'?`);
  throw new RefuseError(`the remote appliance has no volume '${wanted.slice(0, 64)}'${advice}`);
}

/** There may be the one that is wanted. */
function unknownVolumes(groups: readonly VolumesOfGroup[]): string | undefined {
  const group = groups.find(({ volumes, why }) => volumes.length === 0 && why !== undefined);
  return group === undefined ? undefined : `; it may be in group ${group.name}, of which it knows none: ${group.why}`;
}

/** What a volume's own number stands behind; no name has such a sign. */
const numbered = /#\d+$/;

/** Without the number that says which of several volumes of one name is meant. */
export function withoutNumber(wanted: string): string {
  return wanted.replace(numbered, "");
}

/** Those of the same name that were in the group before, as they are asked for; the newest last. */
export function earlierNames({ group, volume }: VolumeOfGroup, wanted: string): string[] {
  const isEarlier = ({ name, number }: RemoteVolume): boolean => name === volume.name && number < volume.number;
  return group.volumes.filter(isEarlier).map(({ number }) => `${withoutNumber(wanted)}#${number}`);
}

/** By which only this one is meant, whatever else there is. */
export function ownName({ group, volume }: VolumeOfGroup): string {
  return `${group.id.slice(0, idDigits)}/${volume.name}#${volume.number}`;
}

/** `GROUP/VOLUME` where that means the volume that was named so, and otherwise what only it is meant by. */
export function nameNow(
  groups: readonly VolumesOfGroup[],
  {
    group: id,
    groupName,
    volume: number,
    volumeName,
  }: Pick<NamedPoint, "group" | "groupName" | "volume" | "volumeName">,
): string {
  const plain = `${groupName}/${volumeName}`;
  const all = groups.flatMap((group) => group.volumes.map((volume) => ({ group, volume })));
  const found = all.filter((one) => plainNamesOf(one).includes(plain));
  const isMeant = found.every(({ group }) => group.id === id) && found.at(-1)?.volume.number === number;
  return isMeant ? plain : `${id.slice(0, idDigits)}/${volumeName}#${number}`;
}

function namesOf(one: VolumeOfGroup): readonly string[] {
  const names = plainNamesOf(one);
  return [...names, ...names.map((name) => `${name}#${one.volume.number}`)];
}

/** From the shortest one on. */
function plainNamesOf({ group, volume }: VolumeOfGroup): readonly string[] {
  return [volume.name, `${group.name}/${volume.name}`, `${group.id.slice(0, idDigits)}/${volume.name}`];
}
