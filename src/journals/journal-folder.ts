/** The names of a group's journals within its folder. */
import { join } from "node:path";
import type { Files } from "#src/host/files.ts";
import { segmentMax } from "#src/records/address.ts";

const segmentDigits = 12;
const positionDigits = 16;
const dataEnding = ".data";
const sumsEnding = ".sums";
const pieceEnding = ".piece";

export class JournalFolder {
  readonly path: string;
  readonly metadataPath: string;
  readonly segmentsPath: string;

  constructor(path: string) {
    this.path = path;
    this.metadataPath = join(path, "metadata");
    this.segmentsPath = join(path, "segments");
  }

  dataPath(segment: number): string {
    return join(this.segmentsPath, paddedNumber(segment, segmentDigits) + dataEnding);
  }

  sumsPath(segment: number): string {
    return join(this.segmentsPath, paddedNumber(segment, segmentDigits) + sumsEnding);
  }

  piecePath(basePosition: number): string {
    return join(this.metadataPath, paddedNumber(basePosition, positionDigits) + pieceEnding);
  }

  /** The folders, not durable yet. */
  makeNow(files: Files): void {
    files.makeFolder(this.path);
    files.makeFolder(this.metadataPath);
    files.makeFolder(this.segmentsPath);
  }

  /** In their order. Whether each is what its name says is for whoever opens it to see. */
  pieces(files: Files): number[] {
    return numbersOf(files, this.metadataPath, positionDigits, pieceEnding);
  }

  /** Numbers of which there is a data file, or sums, or both. */
  segments(files: Files): number[] {
    const both = [dataEnding, sumsEnding].flatMap((ending) =>
      numbersOf(files, this.segmentsPath, segmentDigits, ending),
    );
    return [...new Set(both)].filter((segment) => segment >= 1 && segment <= segmentMax).sort((a, b) => a - b);
  }
}

function paddedNumber(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}

function numbersOf(files: Files, folder: string, digits: number, ending: string): number[] {
  if (!files.exists(folder)) return [];
  return files
    .list(folder)
    .filter((name) => name.endsWith(ending) && /^\d+$/.test(name.slice(0, -ending.length)))
    .map((name) => Number(name.slice(0, -ending.length)))
    .filter((value) => String(value).length <= digits)
    .sort((a, b) => a - b);
}
