/**
 * Where a block may be that the store has lost, such as the files of the journal that it came from. Whoever asks checks what is
 * answered, so that a wrong answer costs nothing.
 */

export interface LostBlock {
  readonly address: number;
  readonly volume: number;
  /** Of its bytes, where it is still known: 8 bytes. */
  readonly checksum: Buffer;
}

export interface SecondCopies {
  /** Fills in one block's bytes at the beginning of `target`. False: it is not there. */
  read(lost: LostBlock, target: Buffer): Promise<boolean>;
}

/** One after the other. */
export function anyCopies(sources: readonly SecondCopies[]): SecondCopies {
  return {
    read: async (lost, target) => {
      for (const source of sources) if (await source.read(lost, target)) return true;
      return false;
    },
  };
}
