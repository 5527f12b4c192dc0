/** What is found of copying a source into the order, and whether it will do. */
import type { PlaceName } from "./path-cases.ts";
import { compareRates, type RateComparison } from "./rate-comparison.ts";
import { roundUp } from "./rounding.ts";
import { median } from "./rounds.ts";

export interface InitialCopyFigures {
  readonly sourceBytes: number;
  /** Of these; the rest are holes. */
  readonly dataBytes: number;
  readonly peer: string;
  readonly places: readonly InitialCopyPlace[];
}

/** The lists have a value per round. */
export interface InitialCopyPlace {
  readonly place: PlaceName;
  readonly ownSeconds: readonly number[];
  readonly peerSeconds: readonly number[];
  /** Of all our roles, for each byte of data; what was written is what a disk was given. */
  readonly cpuMsPerMebibyte: number;
  readonly writtenPerByte: number;
  /** Our speed to the peer's. */
  readonly comparison: RateComparison;
}

export interface BesideCopyFigures {
  readonly sourceBytes: number;
  readonly dataBytes: number;
  readonly seconds: number;
  /** Writes per second. */
  readonly besideIops: readonly number[];
  readonly aloneIops: readonly number[];
  readonly besideLatencyP50Us: number;
  readonly besideLatencyP999Us: number;
  readonly aloneLatencyP50Us: number;
  readonly aloneLatencyP999Us: number;
  /** Of the source, holes counted as what they stand for, that the copy passes beside the host. */
  readonly copiedBytesPerSecond: number;
  readonly comparison: RateComparison;
}

export interface CopyTurn {
  readonly seconds: number;
  /** Ours alone are asked for these. */
  readonly cpuSeconds?: number;
  readonly writtenBytes?: number;
}

export function initialCopyPlace(
  about: { readonly place: PlaceName; readonly dataBytes: number; readonly goal: number },
  own: readonly CopyTurn[],
  peer: readonly CopyTurn[],
): InitialCopyPlace {
  const { place, dataBytes, goal } = about;
  const speeds = (turns: readonly CopyTurn[]) => turns.map(({ seconds }) => 1 / seconds);
  const middle = (pick: (turn: CopyTurn) => number | undefined) => median(own.map((turn) => pick(turn) ?? 0));
  return {
    place,
    ownSeconds: own.map(({ seconds }) => seconds),
    peerSeconds: peer.map(({ seconds }) => seconds),
    cpuMsPerMebibyte: (middle((turn) => turn.cpuSeconds) * 1000) / (dataBytes / 1024 ** 2),
    writtenPerByte: roundUp(middle((turn) => turn.writtenBytes) / dataBytes, 2),
    comparison: compareRates(speeds(own), speeds(peer), goal),
  };
}

/** Regions are counted in bytes of the volume. */
export interface ResyncFigures {
  readonly volumeBytes: number;
  readonly goal: number;
  readonly cases: readonly ResyncCase[];
}

export interface ResyncCase {
  readonly title: string;
  readonly writtenRegions: number;
  readonly regionBytes: number;
  readonly writtenShare: number;
  /** Of the volume. */
  readonly readShare: number;
  readonly shippedShare: number;
  readonly met: boolean;
}

export function resyncCase(
  found: {
    readonly title: string;
    readonly volumeBytes: number;
    readonly regionBytes: number;
    readonly writtenRegions: number;
    readonly readBytes: number;
    readonly shippedBytes: number;
  },
  goal: number,
): ResyncCase {
  const { volumeBytes, readBytes, shippedBytes, ...rest } = found;
  const share = (bytes: number) => roundUp(bytes / volumeBytes, 4);
  const readShare = share(readBytes);
  const shippedShare = share(shippedBytes);
  const writtenShare = share(rest.writtenRegions * rest.regionBytes);
  return { ...rest, writtenShare, readShare, shippedShare, met: Math.max(readShare, shippedShare) <= goal };
}
