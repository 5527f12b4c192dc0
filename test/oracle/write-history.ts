/**
 * What a test wrote to one volume and what it was told: the judge of what may be found after any accident. A block must
 * hold the newest writing that was promised, or a later one; never an older one, never anything else.
 *
 * Writes under way at the same time never touch the same block, so the writings of a block have one order.
 */
import { putStamp, readStamp, stampedBytes } from "./block-stamp.ts";

export interface Writing {
  readonly number: number;
  readonly kind: "write" | "zero" | "trim";
  readonly startBlock: number;
  readonly blockCount: number;
  /** When it was handed over, and when it was answered well, on a clock that counts such events. */
  readonly issued: number;
  replied: number | undefined;
}

interface BlockHistory {
  /** Those that may be found, the oldest first. */
  writings: Writing[];
  /** The number of the newest that must survive. */
  promisedFrom: number;
  /** What a power cut made of an unpromised writing and the one before it: whole sectors of both. */
  torn: { readonly content: Buffer; readonly after: Writing } | undefined;
}

export interface SettleOptions {
  /** Power was lost: an unpromised writing may be there in part. */
  readonly mayBeTorn?: boolean;
}

export interface FlushToken {
  readonly covers: readonly Writing[];
}

const sectorBytes = 512;
const untouched: Writing = { number: 0, kind: "zero", startBlock: 0, blockCount: 0, issued: 0, replied: 0 };

export class WriteHistory {
  readonly volume: number;
  readonly blockCount: number;
  readonly #blocks = new Map<number, BlockHistory>();
  readonly #byNumber = new Map<number, Writing>();
  /** Answered, and not yet promised by a flush. */
  #unpromised = new Set<Writing>();
  #promised = new Set<number>();
  #restartedAt = 0;
  #lastNumber = 0;
  #event = 0;

  constructor(volume: number, blockCount: number) {
    this.volume = volume;
    this.blockCount = blockCount;
  }

  get count(): number {
    return this.#lastNumber;
  }

  /** What has happened so far, counted: handed over, or answered. */
  get events(): number {
    return this.#event;
  }

  /** The one of this number; the first is 1. */
  writing(number: number): Writing {
    return this.#byNumber.get(number) as Writing;
  }

  issue(kind: Writing["kind"], startBlock: number, blockCount: number): Writing {
    const number = ++this.#lastNumber;
    const writing: Writing = { number, kind, startBlock, blockCount, issued: ++this.#event, replied: undefined };
    this.#byNumber.set(number, writing);
    for (let block = startBlock; block < startBlock + blockCount; block++) this.#of(block).writings.push(writing);
    return writing;
  }

  replied(writing: Writing): void {
    writing.replied = ++this.#event;
    this.#unpromised.add(writing);
  }

  /** A flush is handed over: it will promise what was answered before. */
  flushIssued(): FlushToken {
    return { covers: [...this.#unpromised] };
  }

  flushReplied({ covers }: FlushToken): void {
    for (const writing of covers) {
      this.#unpromised.delete(writing);
      this.promise(writing);
    }
  }

  /** A write with FUA, or one covered by a flush. A trim is advice: what was before it may stay. */
  promise(writing: Writing): void {
    if (writing.kind === "trim") return;
    if (writing.kind === "write" && writing.number > this.#restartedAt) this.#promised.add(writing.number);
    for (let block = writing.startBlock; block < writing.startBlock + writing.blockCount; block++) {
      const history = this.#of(block);
      // Promised already, or lost here before it was.
      if (writing.number <= history.promisedFrom || !history.writings.includes(writing)) continue;
      history.promisedFrom = writing.number;
      history.writings = history.writings.filter(({ number }) => number >= writing.number);
    }
  }

  /** All that was answered counts as promised: where no power was lost, nothing may be. */
  promiseAnswered(): void {
    for (const writing of this.#unpromised) this.promise(writing);
    this.#unpromised = new Set();
  }

  /** Answers before an accident promise nothing any more; what is found afterwards does (`settle`). */
  restarted(): void {
    this.#promised = new Set();
    this.#restartedAt = this.#lastNumber;
    this.#unpromised = new Set();
  }

  /** Numbers of the writes since the last accident that a flush, or FUA, has promised. */
  get promised(): ReadonlySet<number> {
    return this.#promised;
  }

  /** What is wrong with a block that was found, in words. The newest writing that fits is what it holds from now on. */
  settle(block: number, found: Buffer, { mayBeTorn = false }: SettleOptions = {}): string | undefined {
    const history = this.#of(block);
    const newest = history.writings.findLastIndex((writing) => this.#fits(writing, block, found));
    if (newest >= 0) {
      history.writings = history.writings.slice(0, newest + 1);
      history.torn = undefined;
    } else if (history.torn === undefined || !history.torn.content.equals(found)) {
      if (!mayBeTorn || !this.#isMixture(history, block, found)) return this.#misfit(history, block, found);
      history.torn = { content: Buffer.from(found), after: history.writings.at(-1) as Writing };
    }
    // It was seen, so the next flush covers it.
    this.#unpromised.add(history.writings.at(-1) as Writing);
    return undefined;
  }

  /** What is wrong with a block that was read while nothing is under way. */
  judge(block: number, found: Buffer): string | undefined {
    const history = this.#of(block);
    const newest = history.writings.at(-1) as Writing;
    if (history.torn?.after === newest) {
      return history.torn.content.equals(found) ? undefined : this.#misfit(history, block, found);
    }
    if (this.#fits(newest, block, found)) return undefined;
    const mayBeOlder = newest.kind === "trim" && this.#fitsBefore(history.writings, block, found);
    return mayBeOlder ? undefined : this.#misfit(history, block, found);
  }

  /**
   * What is wrong with a row of writings that claims to be a prefix of this history: in an order that could have been
   * seen, and without a hole. Numbers of `write` only; those up to `after` are left out of it, since a cut of the power
   * may lose what was answered, and what comes later is no prefix of all any more. `unordered`: others that are there, of
   * which it cannot be told when they came.
   */
  judgePrefix(numbers: readonly number[], after = 0, unordered: ReadonlySet<number> = new Set()): string | undefined {
    const had = new Set(numbers).union(unordered);
    let latestIssue = 0;
    for (const number of numbers) {
      if (number <= after) continue;
      const writing = this.#byNumber.get(number);
      if (writing === undefined) return `writing ${number} was never handed over`;
      if ((writing.replied ?? Number.POSITIVE_INFINITY) < latestIssue) {
        return `writing ${number} was answered before one was handed over that comes before it`;
      }
      latestIssue = Math.max(latestIssue, writing.issued);
    }
    for (const { number, kind, replied } of this.#byNumber.values()) {
      if (
        kind === "write" &&
        number > after &&
        (replied ?? Number.POSITIVE_INFINITY) < latestIssue &&
        !had.has(number)
      ) {
        return `writing ${number} is missing, and one that was handed over after its answer is there`;
      }
    }
    return undefined;
  }

  #of(block: number): BlockHistory {
    let history = this.#blocks.get(block);
    if (history === undefined) {
      history = { writings: [untouched], promisedFrom: 0, torn: undefined };
      this.#blocks.set(block, history);
    }
    return history;
  }

  #fits(writing: Writing, block: number, found: Buffer): boolean {
    return this.#contentOf(writing, block).equals(found);
  }

  #fitsBefore(writings: readonly Writing[], block: number, found: Buffer): boolean {
    const before = writings.findLast(({ kind }) => kind !== "trim");
    return before !== undefined && this.#fits(before, block, found);
  }

  /** Whether each sector is one of a writing that may be found. */
  #isMixture(history: BlockHistory, block: number, found: Buffer): boolean {
    const contents = history.writings.map((writing) => this.#contentOf(writing, block));
    if (history.torn !== undefined) contents.push(history.torn.content);
    for (let at = 0; at < stampedBytes; at += sectorBytes) {
      const sector = found.subarray(at, at + sectorBytes);
      if (!contents.some((content) => sector.equals(content.subarray(at, at + sectorBytes)))) return false;
    }
    return true;
  }

  #contentOf({ kind, number }: Writing, block: number): Buffer {
    const content = Buffer.alloc(stampedBytes);
    if (kind === "write") putStamp(content, 0, { volume: this.volume, block, number });
    return content;
  }

  #misfit({ writings, torn }: BlockHistory, block: number, bytes: Buffer): string {
    const found = readStamp(bytes, 0);
    const words =
      typeof found === "string" ? found : `writing ${found.number} of block ${found.block} of volume ${found.volume}`;
    const allowed = writings.map(({ number, kind }) => `${number} (${kind})`);
    if (torn !== undefined) allowed.push("what was torn before");
    return `block ${block}: ${words}, allowed was ${allowed.join(", ")}`;
  }
}
