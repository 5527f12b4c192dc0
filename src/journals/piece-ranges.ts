/** Which records each piece of an open metadata journal holds, as far as the pieces' headers say it. */
import type { Files } from "#src/host/files.ts";
import type { JournalFolder } from "./journal-folder.ts";
import { type JournalIdentity, MetadataPiece } from "./metadata-piece.ts";

export interface PieceRange {
  readonly basePosition: number;
  readonly firstSeq: number;
  /** The next piece begins behind it. Whatever else the file holds does not count. */
  readonly lastSeq: number;
  readonly sizeBytes: number;
}

export interface PiecePlace {
  readonly files: Files;
  readonly folder: JournalFolder;
  readonly identity: JournalIdentity;
}

/** From the oldest on, those that hold nothing behind `seq`. The newest piece is never among them: it may be written to. */
export function piecesUpTo({ files, folder, identity }: PiecePlace, seq: number): PieceRange[] {
  const basePositions = folder.pieces(files);
  if (basePositions.length < 2) return [];
  const found: PieceRange[] = [];
  let before: Omit<PieceRange, "lastSeq"> | undefined;
  for (const basePosition of basePositions) {
    const piece = new MetadataPiece(files, folder, basePosition, identity);
    const { header, sizeBytes } = piece;
    piece.close();
    if (header === undefined) break;
    const { firstSeq } = header;
    if (before !== undefined && firstSeq > seq + 1) break;
    if (before !== undefined) found.push({ ...before, lastSeq: firstSeq - 1 });
    before = { basePosition, firstSeq, sizeBytes };
  }
  return found;
}
