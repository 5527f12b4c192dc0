/**
 * Room that is kept for those who make room. On a full disk nothing is sealed any more, but collection goes on: it takes
 * what it writes out of the reserve, bit by bit, and fills it up again with what it frees. A service for objects has none,
 * and needs none.
 */
export interface SpaceReserve {
  readonly heldBytes: number;
  /** On the disk of this one is what it gives. Undefined: it never holds anything. */
  readonly folder: string | undefined;
  /** Gives so much back to the disk, now. Answers false where nothing is held. */
  give(byteLength: number): boolean;
  /** As far as there is room. Never rejects. */
  refill(): Promise<void>;
}

export const noReserve: SpaceReserve = {
  heldBytes: 0,
  folder: undefined,
  give: () => false,
  refill: async () => {},
};
