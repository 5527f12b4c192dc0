/** Groups and their volumes as a local appliance knows them, by the names that people give. */
import { RefuseError } from "#src/core/errors.ts";
import { unknownName } from "./unknown-name.ts";

export interface NamedGroup {
  readonly name: string;
  readonly volumeNames: readonly string[];
}

export interface VolumeInGroup<Group extends NamedGroup> {
  readonly group: Group;
  /** Its name. */
  readonly name: string;
}

/** `GROUP/VOLUME` where several groups have one of the name: each has its own interceptor, and those know nothing of each other. */
export function volumeNamed<Group extends NamedGroup>(groups: readonly Group[], wanted: string): VolumeInGroup<Group> {
  const all = volumesOf(groups);
  const [found, ...more] = all.filter((one) => isNamed(one, wanted));
  if (found === undefined) throw unknownName(wanted, all, "volume");
  if (more.length === 0) return found;
  const names = [found, ...more].map(pairOf).join(", ");
  throw new RefuseError(`several groups have a volume '${wanted}': say which one, of ${names}`);
}

/** A volume's name stands for its group's. */
export function groupNamed<Group extends NamedGroup>(groups: readonly Group[], wanted: string): Group {
  return groups.find(({ name }) => name === wanted) ?? groupOfVolume(groups, wanted);
}

/** A group's own name does where no volume has it. */
export function groupOfVolume<Group extends NamedGroup>(groups: readonly Group[], wanted: string): Group {
  const volumes = volumesOf(groups);
  if (volumes.some((one) => isNamed(one, wanted))) return volumeNamed(groups, wanted).group;
  const group = groups.find(({ name }) => name === wanted);
  if (group !== undefined) return group;
  throw unknownName(wanted, [...groups, ...volumes], "group");
}

function volumesOf<Group extends NamedGroup>(groups: readonly Group[]): readonly VolumeInGroup<Group>[] {
  return groups.flatMap((group) => group.volumeNames.map((name) => ({ group, name })));
}

function isNamed(volume: VolumeInGroup<NamedGroup>, wanted: string): boolean {
  return wanted === volume.name || wanted === pairOf(volume);
}

function pairOf({ group, name }: VolumeInGroup<NamedGroup>): string {
  return `${group.name}/${name}`;
}
