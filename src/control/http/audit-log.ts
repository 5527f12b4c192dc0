/**
 * Who ordered what, when, and what came of it: two files of lines, the older of which goes when the newer one is full. An entry
 * that cannot be written is told of and keeps no order from being carried out: on a bad day somebody must be able to make room.
 *
 * Invariant: numbers grow by one from line to line, over both files, and over starts.
 */
import { assert } from "#src/core/assert.ts";
import { auditFileBytesMax, auditRefusalEveryMs } from "#src/core/http-limits.ts";
import type { FileHandle } from "#src/host/files.ts";
import type { Machine } from "#src/host/machine.ts";
import { keepName } from "#src/host/publish.ts";
import { whenDone } from "#src/host/when-done.ts";
import { type AuditContent, type AuditEntry, type AuditRefusal, auditHeader, auditLine } from "./audit-entry.ts";
import { readSummedLine } from "./summed-line.ts";

type AuditMachine = Pick<Machine, "files" | "log" | "clock">;

/** Some milliseconds of work. */
const entriesPerTurn = 500;

export interface AuditSpan {
  readonly limit: number;
  readonly before?: number | undefined;
}

interface OpenFile {
  readonly handle: FileHandle;
  /** Its name is durable. */
  readonly named: Promise<void>;
  sizeBytes: number;
}

export class AuditLog {
  readonly #machine: AuditMachine;
  readonly #path: string;
  #file: OpenFile | undefined;
  #lastNumber: number;
  #trouble: string | undefined;
  #refusals = { listedMs: Number.NEGATIVE_INFINITY, unlisted: 0 };

  private constructor(machine: AuditMachine, path: string, lastNumber: number) {
    this.#machine = machine;
    this.#path = path;
    this.#lastNumber = lastNumber;
  }

  /** Its folder is there. What is torn at the end of the newer file was never promised, and a line of its own follows it. */
  static open(machine: AuditMachine, path: string): AuditLog {
    const log = new AuditLog(machine, path, 0);
    try {
      for (const { number } of log.#backwards()) {
        log.#lastNumber = number;
        break;
      }
      log.#file = log.#reopen();
    } catch (error) {
      log.#fail(error);
    }
    return log;
  }

  /** Why entries are lost. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Resolves when it is durable, or lost. */
  async add(content: AuditContent): Promise<AuditEntry> {
    const entry = {
      number: ++this.#lastNumber,
      time: new Date(this.#machine.clock.wallMs()).toISOString(),
      ...content,
    };
    try {
      const file = this.#roomy();
      const line = auditLine(entry);
      file.handle.writeNow(line, 0, line.length, file.sizeBytes);
      file.sizeBytes += line.length;
      await Promise.all([file.named, whenDone((done) => file.handle.sync(done))]);
      this.#trouble = undefined;
    } catch (error) {
      this.#fail(error);
    }
    return entry;
  }

  /** Whoever knocks all day long does not fill it. */
  refuse(refusal: Omit<AuditRefusal, "kind" | "unlisted">): void {
    const nowMs = this.#machine.clock.monotonicMs();
    if (nowMs - this.#refusals.listedMs < auditRefusalEveryMs) {
      this.#refusals.unlisted += 1;
      return;
    }
    const { unlisted } = this.#refusals;
    this.#refusals = { listedMs: nowMs, unlisted: 0 };
    void this.add({ kind: "refusal", ...refusal, unlisted });
  }

  /**
   * The last ones, or the last before a number, the newest last; with what came of them. What is damaged is left out. Much of what is
   * there may have to be looked through, so others have their turn in between.
   */
  async last({ limit, before = Number.POSITIVE_INFINITY }: AuditSpan): Promise<AuditEntry[]> {
    const found: AuditEntry[] = [];
    let [wanted, looked] = [limit, 0];
    for (const entry of this.#backwards()) {
      if (++looked % entriesPerTurn === 0) await new Promise<void>((resolve) => this.#machine.clock.soon(resolve));
      found.push(entry);
      if (entry.kind !== "outcome" && entry.number < before && --wanted === 0) break;
    }
    return found.reverse();
  }

  /** Both files are read before the first of it: they may change places meanwhile. */
  *#backwards(): Iterable<AuditEntry> {
    const texts = [this.#path, this.#olderPath].map((path) => this.#textOf(path));
    for (const text of texts) {
      for (const line of linesBackwards(text)) {
        const value = readSummedLine(line);
        if (value !== undefined && Number.isSafeInteger(value.number)) yield value as unknown as AuditEntry;
      }
    }
  }

  close(): void {
    this.#file?.handle.close();
    this.#file = undefined;
  }

  get #olderPath(): string {
    return `${this.#path}.1`;
  }

  #textOf(path: string): string {
    const { files } = this.#machine;
    if (!files.exists(path)) return "";
    const handle = files.open(path, "read");
    try {
      const bytes = Buffer.alloc(Math.min(handle.sizeBytesNow(), 2 * auditFileBytesMax));
      handle.readNow(bytes, 0, bytes.length, 0);
      return bytes.toString("utf8");
    } finally {
      handle.close();
    }
  }

  #reopen(): OpenFile {
    const { files } = this.#machine;
    if (!files.exists(this.#path)) return this.#begin();
    const handle = files.open(this.#path, "readWrite");
    const sizeBytes = handle.sizeBytesNow();
    // Whatever stands at the end, the next entry begins on a line of its own.
    handle.writeNow(Buffer.from("\n"), 0, 1, sizeBytes);
    // Whoever began it may have been killed before its name was durable.
    const named = keepName(files, this.#path);
    named.catch(() => {});
    return { handle, named, sizeBytes: sizeBytes + 1 };
  }

  /** Another file where this one is full; the same where a sync has failed, of which nobody knows what it left behind. */
  #roomy(): OpenFile {
    if (this.#file !== undefined && this.#trouble === undefined && this.#file.sizeBytes < auditFileBytesMax)
      return this.#file;
    this.close();
    const { files } = this.#machine;
    if (files.exists(this.#path) && (files.sizeBytes(this.#path) ?? 0) >= auditFileBytesMax) {
      files.rename(this.#path, this.#olderPath);
    }
    this.#file = this.#reopen();
    return this.#file;
  }

  #begin(): OpenFile {
    const handle = this.#machine.files.create(this.#path);
    const header = auditLine(auditHeader);
    handle.writeNow(header, 0, header.length, 0);
    const named = keepName(this.#machine.files, this.#path);
    // Whoever adds an entry hears of it.
    named.catch(() => {});
    return { handle, named, sizeBytes: header.length };
  }

  #fail(error: unknown): void {
    assert(error instanceof Error, "what fails says why");
    if (this.#trouble === undefined) this.#machine.log.error("entries of the audit log are lost", { error });
    this.#trouble = error.message;
  }
}

function* linesBackwards(text: string): Iterable<string> {
  for (let end = text.length; end > 0; ) {
    const start = text.lastIndexOf("\n", end - 1) + 1;
    if (start < end) yield text.slice(start, end);
    end = start - 1;
  }
}
