/**
 * Lets go of pieces of a group's own metadata journal that the store has: of the oldest, as far as all of them together are
 * more than is kept here for whoever has to fetch records again.
 *
 *     found in the store, record by record ─▶ noted that the journals begin behind them ─▶ removed, the oldest first
 *
 * Invariants: what is removed is stored, and noted durably to be gone before; the newest piece stays; while somebody reads
 * nothing is removed. What a crash leaves of it goes at the next time.
 */
import type { Files } from "#src/host/files.ts";
import type { Log } from "#src/host/log.ts";
import { whenDone } from "#src/host/when-done.ts";
import type { JournalFolder } from "#src/journals/journal-folder.ts";
import type { JournalIdentity } from "#src/journals/metadata-piece.ts";
import { type PieceRange, piecesUpTo } from "#src/journals/piece-ranges.ts";
import type { Sealer } from "./group-sealing.ts";
import type { RemoteGroupStateFile } from "./remote-group-state.ts";

export interface JournalRemovalParts {
  readonly files: Files;
  readonly folder: JournalFolder;
  readonly identity: JournalIdentity;
  readonly state: RemoteGroupStateFile;
  readonly sealer: Sealer;
  readonly log: Log;
  /** Of pieces that the store has. */
  readonly keptBytes: number;
  readonly isRead: () => boolean;
}

export class JournalRemoval {
  readonly #parts: JournalRemovalParts;
  #removedBytes = 0;
  #failure: string | undefined;
  #isStopped = false;

  constructor(parts: JournalRemovalParts) {
    this.#parts = parts;
  }

  /** Since the start. */
  get removedBytes(): number {
    return this.#removedBytes;
  }

  /** Never rejects: what could not be removed stays, and is tried again with what is stored next. */
  async removeUpTo(storedSeq: number): Promise<void> {
    try {
      await this.#noteRemoval(storedSeq);
      await this.#removeNoted();
      this.#failure = undefined;
    } catch (error) {
      const { log, state } = this.#parts;
      const { message } = error as Error;
      if (!this.#isStopped && this.#failure !== message) {
        log.warn("journals that the store has could not be removed", { group: state.state.name, error });
      }
      this.#failure = message;
    }
  }

  async #noteRemoval(storedSeq: number): Promise<void> {
    const { files, folder, identity, state, sealer } = this.#parts;
    const { journalStart: start } = state.state;
    const oldest = this.#oldestOfSurplus(piecesUpTo({ files, folder, identity }, storedSeq));
    if (oldest === undefined || oldest.lastSeq <= start.seq) return;
    const { lastSeq } = oldest;
    const firstSeq = Math.max(oldest.firstSeq, start.seq + 1);
    const request = { ...identity, folder: folder.path, start, firstSeq, lastSeq };
    const journalStart = await sealer.confirmRecords(request);
    if (!this.#isStopped) await state.update({ journalStart });
  }

  /** One for each time that something is stored: what gathered over years takes nobody's turn for long. */
  #oldestOfSurplus(pieces: readonly PieceRange[]): PieceRange | undefined {
    const bytes = pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return bytes > this.#parts.keptBytes ? pieces[0] : undefined;
  }

  async #removeNoted(): Promise<void> {
    const { files, folder, identity, state, isRead } = this.#parts;
    if (this.#isStopped || isRead()) return;
    const noted = piecesUpTo({ files, folder, identity }, state.state.journalStart.seq);
    for (const { basePosition, sizeBytes } of noted) {
      files.remove(folder.piecePath(basePosition));
      this.#removedBytes += sizeBytes;
    }
    if (noted.length > 0) await whenDone((done) => files.syncFolder(folder.metadataPath, done));
  }

  /** Nothing is noted or removed any more that was not begun. */
  stop(): void {
    this.#isStopped = true;
  }
}
