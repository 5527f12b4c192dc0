/**
 * What a volume may hold, as its host knows it: which writes were submitted, which were replied to, which are covered by
 * a FLUSH or FUA that was replied to. Knows nothing of how the product works.
 *
 * A write A is over when it was replied to, failed, or its host's site crashed. It is surely before B if it was over
 * before B was submitted; two writes that are under way at the same time may land in either order, cell by cell.
 */
import type { HeldContent } from "./held-content.ts";
import { cellsPerBlock, garbage } from "./stamp.ts";
import { demand } from "./violation.ts";

export type WriteKind = "write" | "trim" | "zero";

export interface HostWrite {
  /** Its stamps; each number is used once in a simulation. */
  readonly number: number;
  readonly kind: WriteKind;
  readonly firstCell: number;
  readonly cellCount: number;
  readonly fua: boolean;
  readonly submittedAt: number;
  /** Infinity while it is under way. */
  overAt: number;
  isReplied: boolean;
  isDurable: boolean;
}

export interface HostRead {
  readonly firstCell: number;
  readonly cellCount: number;
  readonly submittedAt: number;
  /** What each cell might have held when the read was submitted. */
  readonly allowed: readonly (readonly HostWrite[])[];
}

export interface HostFlush {
  readonly covered: readonly HostWrite[];
}

const before: HostWrite = {
  number: 0,
  kind: "zero",
  firstCell: 0,
  cellCount: 0,
  fua: false,
  submittedAt: -2,
  overAt: -1,
  isReplied: true,
  isDurable: true,
};

interface Cell {
  /** Seen to be under another one, but what a power cut may bring back. */
  older: HostWrite[];
  /** What a read may find, those aside that a later one has surely replaced. */
  recent: HostWrite[];
}

/** Of every cell that nobody has written to. */
const untouched: Cell = { older: [], recent: [before] };

export class VolumeModel {
  readonly volume: number;
  readonly cellCount: number;
  /** Those that were ever written to. */
  readonly #cells = new Map<number, Cell>();
  readonly #isHarmed: boolean;
  readonly #held: HeldContent | undefined;
  /** Of every cell that held something at first, and that nobody has written to since. */
  readonly #untouchedHeld: Cell;
  readonly #underWay = new Set<HostWrite>();
  readonly #reads = new Set<HostRead>();
  #unflushed: HostWrite[] = [];
  #time = 0;

  /**
   * `isHarmed`: bits flip in what the site keeps. One in what was just flushed passes for the tail that a power cut leaves,
   * and older writes may come back.
   */
  constructor(volume: number, cellCount: number, isHarmed: boolean, held?: HeldContent) {
    this.#isHarmed = isHarmed;
    this.volume = volume;
    this.cellCount = cellCount;
    this.#held = held;
    this.#untouchedHeld = { older: [], recent: [{ ...before, kind: "write", number: held?.number ?? 0 }] };
  }

  /** Replied, and not covered by a FLUSH or FUA that was replied to. */
  get unflushed(): readonly HostWrite[] {
    return this.#unflushed;
  }

  submitWrite(kind: WriteKind, number: number, firstCell: number, cellCount: number, fua: boolean): HostWrite {
    const submittedAt = ++this.#time;
    const write: HostWrite = {
      number,
      kind,
      ...(kind === "trim" ? wholeBlocks(firstCell, cellCount, this.cellCount) : { firstCell, cellCount }),
      fua,
      submittedAt,
      overAt: Number.POSITIVE_INFINITY,
      isReplied: false,
      isDurable: false,
    };
    this.#underWay.add(write);
    for (let index = write.firstCell; index < write.firstCell + write.cellCount; index++) {
      const cell = this.#cells.get(index);
      if (cell === undefined) this.#cells.set(index, { older: [], recent: [...this.#cell(index).recent, write] });
      else cell.recent.push(write);
    }
    return write;
  }

  #cell(index: number): Cell {
    return this.#cells.get(index) ?? (this.#held?.hasCell(index) ? this.#untouchedHeld : untouched);
  }

  endWrite(write: HostWrite, isReplied: boolean): void {
    write.overAt = ++this.#time;
    write.isReplied = isReplied;
    this.#underWay.delete(write);
    if (!isReplied) return;
    if (write.fua) this.#makeDurable(write);
    else this.#unflushed.push(write);
  }

  submitFlush(): HostFlush {
    this.#time++;
    return { covered: [...this.#unflushed] };
  }

  endFlush(flush: HostFlush): void {
    for (const write of flush.covered) if (!write.isDurable) this.#makeDurable(write);
    this.#unflushed = this.#unflushed.filter((write) => !write.isDurable);
  }

  submitRead(firstCell: number, cellCount: number): HostRead {
    const allowed = Array.from({ length: cellCount }, (_, index) => visible(this.#cell(firstCell + index).recent));
    const read = { firstCell, cellCount, submittedAt: ++this.#time, allowed };
    this.#reads.add(read);
    return read;
  }

  /** `values` are the stamps found, cell by cell; undefined: the read failed. */
  endRead(read: HostRead, values: readonly number[] | undefined, what = "a read found"): void {
    this.#reads.delete(read);
    values?.forEach((value, index) => {
      const allowed = read.allowed[index] as readonly HostWrite[];
      const since = this.#cell(read.firstCell + index).recent;
      const isLegal =
        allowed.some((write) => stampOf(write) === value) ||
        since.some((write) => write.submittedAt > read.submittedAt && stampOf(write) === value);
      this.#demandLegal(isLegal, read.firstCell + index, value, allowed, what);
    });
  }

  /** The site is gone: nobody will ever hear how what was under way ended. */
  crash(): void {
    const overAt = ++this.#time;
    for (const write of this.#underWay) write.overAt = overAt;
    this.#underWay.clear();
    this.#reads.clear();
  }

  /**
   * What the volume holds when it is open again. `hadPower`: its writes were never lost from memory, so each that was
   * replied to must be there; after a power cut each that was promised to be durable.
   */
  recovered(values: readonly number[], hadPower: boolean): void {
    values.forEach((value, index) => {
      const cell = this.#cell(index);
      const allowed = hadPower ? visible(cell.recent) : [...cell.older, ...cell.recent];
      const found = allowed.findLast((write) => stampOf(write) === value);
      const when = hadPower ? "after its processes were killed" : "after the power was lost";
      this.#demandLegal(found !== undefined, index, value, allowed, `${when} the volume has`);
      if (found !== undefined) this.#settle(cell, found, hadPower);
    });
    if (!hadPower) this.#unflushed = [];
  }

  #settle(cell: Cell, found: HostWrite, hadPower: boolean): void {
    if (cell.recent.length === 1 && cell.older.length === 0) return;
    const others = [...cell.older, ...cell.recent].filter((write) => write !== found);
    cell.older = hadPower && !found.isDurable ? others.filter((write) => write.submittedAt < found.overAt) : [];
    cell.recent = [found];
  }

  /** Whether a power cut right now may leave these values. */
  demandDurable(firstCell: number, values: readonly number[], where: string): void {
    values.forEach((value, index) => {
      const cell = this.#cell(firstCell + index);
      const allowed = [...cell.older, ...cell.recent];
      const isLegal = allowed.some((write) => stampOf(write) === value);
      demand("promise", isLegal, () => this.#describe(firstCell + index, value, allowed, `${where} has only`));
    });
  }

  /** Whether the host may find these values now. */
  demandVisible(firstCell: number, values: readonly number[], where: string): void {
    values.forEach((value, index) => {
      const allowed = visible(this.#cell(firstCell + index).recent);
      const isLegal = allowed.some((write) => stampOf(write) === value);
      this.#demandLegal(isLegal, firstCell + index, value, allowed, where);
    });
  }

  #makeDurable(write: HostWrite): void {
    write.isDurable = true;
    if (this.#isHarmed) return;
    const oldestRead = Math.min(Number.POSITIVE_INFINITY, ...[...this.#reads].map((read) => read.submittedAt));
    const isReplaced = (other: HostWrite): boolean => other.overAt < write.submittedAt;
    for (const cell of this.#cellsOf(write)) {
      cell.older = cell.older.filter((other) => !isReplaced(other));
      // A read under way may still answer with what it found before.
      cell.recent = cell.recent.filter((other) => !isReplaced(other) || other.overAt > oldestRead);
    }
  }

  #cellsOf(write: HostWrite): Cell[] {
    return Array.from({ length: write.cellCount }, (_, index) => this.#cell(write.firstCell + index));
  }

  #demandLegal(isLegal: boolean, cell: number, value: number, allowed: readonly HostWrite[], what: string): void {
    const invariant = value === garbage ? "truth" : "promise";
    demand(invariant, isLegal, () => this.#describe(cell, value, allowed, what));
  }

  #describe(cell: number, value: number, allowed: readonly HostWrite[], what: string): string {
    const legal = allowed.map((write) => `${write.number}${write.kind === "write" ? "" : ` (${write.kind})`}`);
    const found = value === garbage ? "garbage" : `write ${value}`;
    const where = `volume ${this.volume} cell ${cell} (block ${Math.floor(cell / cellsPerBlock)})`;
    return `${what} ${found} in ${where}, where write ${legal.join(" or ")} may be`;
  }
}

/** Those that no write which was replied to has surely replaced. */
function visible(writes: readonly HostWrite[]): readonly HostWrite[] {
  if (writes.length === 1) return writes;
  return writes.filter((write) => !writes.some((other) => other.isReplied && write.overAt < other.submittedAt));
}

function stampOf(write: HostWrite): number {
  return write.kind === "write" ? write.number : 0;
}

/** A trim counts for whole blocks only, and for what there is of the last one. */
function wholeBlocks(
  firstCell: number,
  cellCount: number,
  endCell: number,
): { readonly firstCell: number; readonly cellCount: number } {
  const first = Math.ceil(firstCell / cellsPerBlock) * cellsPerBlock;
  const isToEnd = firstCell + cellCount === endCell;
  const end = isToEnd ? endCell : Math.floor((firstCell + cellCount) / cellsPerBlock) * cellsPerBlock;
  return { firstCell: first, cellCount: Math.max(0, end - first) };
}
