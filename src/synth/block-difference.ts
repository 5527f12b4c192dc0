/** Blocks of a volume of which two points say different things. */

export interface BlockRange {
  readonly fromBlock: number;
  /** The first that is not in it. */
  readonly toBlock: number;
}

/** A difference is told by who wrote last: what was written anew differs, also where it is the same. */
export interface BlockDifference extends BlockRange {
  /** The later of the two reads as zeros there. */
  readonly isHole: boolean;
}
