/** How a volume is, in a word or two, and how bad that is. */
import type { GroupFacts, VolumeFacts } from "#src/control/role.ts";
import { hostWaitSecondsMax } from "#src/core/http-limits.ts";

export interface VolumeHealth {
  readonly kind: "good" | "warn" | "bad";
  readonly words: string;
}

const words: Readonly<Record<VolumeFacts["state"], VolumeHealth>> = {
  open: { kind: "good", words: "protected" },
  tracking: { kind: "bad", words: "unprotected" },
  opening: { kind: "warn", words: "opening" },
  redoing: { kind: "warn", words: "recovering" },
  stalled: { kind: "bad", words: "waits" },
  full: { kind: "bad", words: "no room" },
  fenced: { kind: "bad", words: "fenced" },
  stopped: { kind: "bad", words: "stopped" },
  failed: { kind: "bad", words: "failed" },
};

type GroupPart = Pick<GroupFacts, "linkUp" | "state" | "mode">;

type VolumePart = Pick<VolumeFacts, "state" | "copy" | "hostWaitSeconds" | "hostWaitFor"> & {
  readonly isHistoryOnly?: boolean;
};

export function volumeHealth(volume: VolumePart, group: GroupPart | undefined): VolumeHealth {
  if (volume.isHistoryOnly === true) return { kind: "good", words: "history kept" };
  if (volume.state !== "open") return words[volume.state];
  if ((volume.hostWaitSeconds ?? 0) >= hostWaitSecondsMax) {
    return { kind: "bad", words: volume.hostWaitFor === "resync" ? "waits for its resync" : "stands still" };
  }
  if (group?.state === "stopped") return { kind: "bad", words: "stopped" };
  if (group?.state === "stalled") return { kind: "bad", words: "waits" };
  if (group?.state === "suspended") return { kind: "warn", words: "sync suspended" };
  if (group !== undefined && !group.linkUp) return { kind: "warn", words: "link down" };
  if (volume.copy !== undefined) {
    return { kind: "warn", words: volume.copy.kind === "initial" ? "first copy" : "resync" };
  }
  return words.open;
}
