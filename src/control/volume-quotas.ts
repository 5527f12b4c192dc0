/**
 * What is kept of each volume, beside what its quota is. A quota is for people: whoever is over it is told of, and nothing is
 * refused, slowed or let go of.
 */
import { roundedByteSize } from "#src/core/byte-size.ts";
import { blockBytes } from "#src/core/limits.ts";
import { volumeUseToldMax } from "#src/core/store-limits.ts";
import type { CollectionDocument } from "#src/store/collection-document.ts";
import type { FindingNames } from "#src/store/scrub-finding.ts";
import type { Config } from "./config-schema.ts";

export interface KeptVolume {
  /** By their names, as far as the store knows them; else by their numbers. */
  readonly group: string;
  readonly volume: string;
  /** Of the blocks that points which are kept need, however often others have the same content. */
  readonly keptBytes: number;
  /** Undefined: it has none. */
  readonly quotaBytes?: number;
}

export interface KeptVolumes {
  /** When that was looked at: with the last plan of a collection. */
  readonly asOfMs: number;
  /** Those over their quota first, then those of which most is kept. */
  readonly volumes: readonly KeptVolume[];
  /** There are so many more. */
  readonly unlistedCount: number;
}

type Quotas = Pick<Config["store"], "quota" | "quotas">;

/** Undefined: it was not looked at yet. */
export function keptVolumes(
  document: CollectionDocument | undefined,
  names: FindingNames,
  quotas: Quotas,
): KeptVolumes | undefined {
  if (document?.use === undefined) return undefined;
  const all = document.use.map(({ group, volume: number, blockCount }): KeptVolume => {
    const name = names.volume(group, number);
    const quotaBytes = quotaOf(name, quotas);
    return {
      group: names.group(group) ?? group,
      volume: name ?? String(number),
      keptBytes: blockCount * blockBytes,
      ...(quotaBytes === Number.POSITIVE_INFINITY ? {} : { quotaBytes }),
    };
  });
  const volumes = [...all.filter(isOver), ...all.filter((one) => !isOver(one))].slice(0, volumeUseToldMax);
  return { asOfMs: document.madeMicros / 1000, volumes, unlistedCount: all.length - volumes.length };
}

function quotaOf(name: string | undefined, { quota, quotas }: Quotas): number {
  return quotas.find((one) => one.name === name)?.byteLength ?? quota;
}

function isOver({ keptBytes, quotaBytes = Number.POSITIVE_INFINITY }: KeptVolume): boolean {
  return keptBytes > quotaBytes;
}

/** One by one, for the status. */
export function quotaTroubles(kept: KeptVolumes | undefined): string[] {
  return (kept?.volumes ?? []).filter(isOver).map(({ group, volume, keptBytes, quotaBytes = 0 }) => {
    const sizes = `${roundedByteSize(keptBytes)}, and its quota is ${roundedByteSize(quotaBytes)}`;
    return `the store keeps ${sizes}, of volume ${volume} of group ${group}: nothing is refused for that`;
  });
}

/** In one line, of those with most. Undefined: nothing is kept. */
export function keptVolumesLine(kept: KeptVolumes | undefined): string | undefined {
  if (kept === undefined || kept.volumes.length === 0) return undefined;
  const day = new Date(kept.asOfMs).toISOString().replace(/\.\d+Z$/, "Z");
  const told = kept.volumes.slice(0, volumesInLine).map(({ group, volume, keptBytes, quotaBytes }) => {
    const quota = quotaBytes === undefined ? "" : ` of ${roundedByteSize(quotaBytes)}`;
    return `${roundedByteSize(keptBytes)}${quota} of ${volume} (${group})`;
  });
  const others = kept.volumes.length - told.length + kept.unlistedCount;
  const more = others === 0 ? "" : `, and ${others} more`;
  return `kept, with all duplicates, as of ${day}: ${told.join(", ")}${more}`;
}

const volumesInLine = 8;
