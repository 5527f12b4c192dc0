/**
 * Where a group's own journals begin: behind this record. All up to it is in the store alone, since it was removed here when
 * it was sealed, or since these journals were made from the store.
 */
export interface JournalStart {
  /** 0: nothing was ever removed. */
  readonly seq: number;
  readonly epoch: number;
  readonly timeMicros: number;
}

export const wholeJournal: JournalStart = { seq: 0, epoch: 0, timeMicros: 0 };
