/** Which volumes there are to show: those that are protected here, and those of which only the history is here. */
import type { StatusReport, VolumeReport } from "#src/control/control-plane.ts";

export interface ShownVolume extends VolumeReport {
  /** Its host and its source are elsewhere, or are gone; what was journaled of it can be opened and restored. */
  readonly isHistoryOnly: boolean;
  /** Of its group, which is not the only one of its name where a local appliance has lost its data. Undefined: it is not known here. */
  readonly groupId: string | undefined;
  /** As the appliance is asked for it, and as the page's address names it: no other one is meant by that. */
  readonly reference: string;
}

type Told = Omit<ShownVolume, "reference">;

/** Of a volume whose host and source are elsewhere. */
const unknownFigures = {
  ...{ connections: 0, added: 0, acknowledged: 0, applied: 0, durable: 0, markedBytes: 0 },
  ...{ writes: 0, writeBytes: 0, reads: 0, readBytes: 0, flushes: 0 },
} as const;

/** As many of a group's id as names hold. */
const idDigits = 8;

export function shownVolumes(status: Pick<StatusReport, "volumes" | "groups" | "remoteGroups">): ShownVolume[] {
  const { volumes, groups, remoteGroups } = status;
  const byName = new Map<string, Told[]>();
  const show = (volume: Told): void => {
    const namesakes = byName.get(volume.name);
    if (namesakes === undefined) byName.set(volume.name, [volume]);
    else if (!namesakes.some((other) => isSame(other, volume))) namesakes.push(volume);
  };
  const ids = new Map(groups.map(({ id, name }) => [name, id]));
  for (const volume of volumes) show({ ...volume, isHistoryOnly: false, groupId: ids.get(volume.group) });
  for (const { id: groupId, name: group, volumes: kept } of remoteGroups) {
    for (const { name, sizeBytes } of kept) {
      const facts = {
        name,
        group,
        groupId,
        sizeBytes,
        source: "",
        state: "open",
        baseMissing: false,
        uris: [],
      } as const;
      show({ ...unknownFigures, ...facts, isHistoryOnly: true });
    }
  }
  const shown = [...byName.values()].flatMap((namesakes) =>
    namesakes.map((volume) => ({ ...volume, reference: referenceOf(volume, namesakes) })),
  );
  return [...shown.filter((one) => !one.isHistoryOnly), ...shown.filter((one) => one.isHistoryOnly)];
}

function isSame(one: Told, other: Pick<Told, "group" | "groupId">): boolean {
  return one.group === other.group && (one.groupId === undefined || one.groupId === other.groupId);
}

/** By as little as is needed. */
function referenceOf({ name, group, groupId }: Told, namesakes: readonly Told[]): string {
  if (namesakes.length === 1) return name;
  const isOnlyOfGroup = namesakes.filter((other) => other.group === group).length === 1;
  return isOnlyOfGroup || groupId === undefined ? `${group}/${name}` : `${groupId.slice(0, idDigits)}/${name}`;
}
