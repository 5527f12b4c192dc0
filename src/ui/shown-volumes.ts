/** Which volumes there are to show: those that are protected here, and those of which only the history is here. */
import type { StatusReport, VolumeReport } from "#src/control/control-plane.ts";

export interface ShownVolume extends VolumeReport {
  /** Its host and its source are elsewhere, or are gone; what was journaled of it can be opened and restored. */
  readonly isHistoryOnly: boolean;
}

/** Of a volume whose host and source are elsewhere. */
const unknownFigures = {
  ...{ connections: 0, added: 0, acknowledged: 0, applied: 0, durable: 0, markedBytes: 0 },
  ...{ writes: 0, writeBytes: 0, reads: 0, readBytes: 0, flushes: 0 },
} as const;

export function shownVolumes({ volumes, remoteGroups }: Pick<StatusReport, "volumes" | "remoteGroups">): ShownVolume[] {
  const shown = new Map(volumes.map((volume) => [keyOf(volume), { ...volume, isHistoryOnly: false }]));
  for (const { name: group, volumes: kept } of remoteGroups) {
    for (const { name, sizeBytes } of kept) {
      const volume = { name, group, sizeBytes, source: "", state: "open", baseMissing: false, uris: [] } as const;
      const key = keyOf(volume);
      if (!shown.has(key)) shown.set(key, { ...unknownFigures, ...volume, isHistoryOnly: true });
    }
  }
  return [...shown.values()];
}

function keyOf({ group, name }: Pick<VolumeReport, "group" | "name">): string {
  return `${group}/${name}`;
}
