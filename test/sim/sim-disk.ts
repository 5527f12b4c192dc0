/**
 * One disk of a simulated host, with its file system. What goes wrong and how often is set in `faults`, or ordered for
 * the next call of a kind. Calls of one life of the host (from start to kill or power cut) fail after it.
 */
import { assert } from "#src/core/assert.ts";
import type { DoneCallback } from "#src/host/block-device.ts";
import type { FolderLock } from "#src/host/files.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { type Change, type SimFile, sectorBytes } from "./sim-file.ts";
import { SimFolder, type SimNode } from "./sim-folder.ts";
import type { SimHostClock } from "./sim-host-clock.ts";
import { sparseBlockBytes } from "./sparse-bytes.ts";
import { systemError } from "./system-error.ts";
import type { Trace } from "./trace.ts";

export type DiskCall = "open" | "read" | "write" | "sync" | "syncFolder";

export interface DiskFaults {
  capacityBytes: number;
  /** This file gets no more space, whatever the disk has. */
  fullFile: SimFile | undefined;
  /** Chances of EIO per call. A write that fails may have been done in part. */
  readErrorChance: number;
  writeErrorChance: number;
  syncErrorChance: number;
  /** A sync of a folder that fails loses the names that it was to keep: a later one that succeeds says nothing of them. */
  losesNames: boolean;
  /** What is called back takes up to this long. */
  latencyMsMax: number;
  /** How often a read would have to wait for the disk. */
  coldChance: number;
}

export interface SimDiskParts {
  readonly name: string;
  readonly clock: SimHostClock;
  readonly random: SeededRandom;
  readonly trace: Trace;
}

/** Hears of each change to the content of a file when programs can see it. A power cut takes changes back unsaid. */
export type DiskObserver = (file: SimFile, change: Change) => void;

/** Hears of each file that is about to be removed, while it still has its name. */
export type RemovalObserver = (path: string, file: SimFile) => void;

export class SimDisk {
  observer: DiskObserver | undefined;
  removalObserver: RemovalObserver | undefined;
  readonly faults: DiskFaults = {
    capacityBytes: Number.MAX_SAFE_INTEGER,
    fullFile: undefined,
    readErrorChance: 0,
    writeErrorChance: 0,
    syncErrorChance: 0,
    losesNames: false,
    latencyMsMax: 2,
    coldChance: 0.25,
  };
  readonly root = new SimFolder();
  readonly #parts: SimDiskParts;
  readonly #ordered: { readonly call: DiskCall; readonly code: string }[] = [];
  /** What the host has asked the disk to do and what is not answered yet. */
  readonly #underWay = new Set<() => void>();
  readonly #handleCounts = new Map<SimFile, number>();
  readonly #locked = new Set<SimFolder>();
  #stalledUntilMs = 0;
  /** By the host's monotonic clock: when a failed sync of a folder has lost names the last time. */
  #namesLostMs = Number.NEGATIVE_INFINITY;
  #life = 0;

  constructor(parts: SimDiskParts) {
    this.#parts = parts;
  }

  get life(): number {
    return this.#life;
  }

  /** The next call of this kind fails. */
  failNext(call: DiskCall, code = "EIO"): void {
    this.#ordered.push({ call, code });
  }

  /** The next call of this kind is to fail. */
  isToFail(call: DiskCall): boolean {
    return this.#ordered.some((ordered) => ordered.call === call);
  }

  get namesLostMs(): number {
    return this.#namesLostMs;
  }

  /** What was ordered to fail and has not yet will not. */
  forgetOrders(): void {
    this.#ordered.length = 0;
  }

  /** For this long the disk does nothing: calls that wait wait, calls that block take the time with them. */
  stall(durationMs: number): void {
    this.#stalledUntilMs = this.#parts.clock.monotonicMs() + durationMs;
  }

  fileAt(path: string): SimFile {
    const node = this.find(path);
    if (node === undefined) throw systemError("ENOENT", path);
    if (node.kind === "folder") throw systemError("EISDIR", path);
    return node;
  }

  find(path: string): SimNode | undefined {
    if (path === "/") return this.root;
    const { folder, name } = this.parentOf(path);
    return folder.names.get(name);
  }

  parentOf(path: string): { readonly folder: SimFolder; readonly name: string } {
    assert(path.startsWith("/") && path !== "/", "a path is absolute and names something");
    const names = path.slice(1).split("/");
    const name = names.pop() as string;
    let folder = this.root;
    for (const step of names) {
      const next = folder.names.get(step);
      if (next === undefined) throw systemError("ENOENT", path);
      if (next.kind === "file") throw systemError("ENOTDIR", path);
      folder = next;
    }
    return { folder, name };
  }

  /** A file is about to be opened, or made. */
  opening(): void {
    this.#failPerhaps("open", 0);
  }

  readNow(file: SimFile, buffer: Buffer, start: number, lengthBytes: number, position: number): number {
    this.#block();
    this.#failPerhaps("read", this.faults.readErrorChance);
    if (file.isDamaged(position, lengthBytes)) throw systemError("EIO", "damaged sectors");
    return file.current.read(buffer, start, lengthBytes, position);
  }

  writeNow(file: SimFile, bytes: Buffer, position: number): void {
    this.#block();
    this.#writeWithFaults(file, bytes, position);
  }

  changeNow(file: SimFile, change: Change): void {
    this.#block();
    this.#failPerhaps("write", this.faults.writeErrorChance);
    file.apply(change);
    this.observer?.(file, change);
  }

  read(life: number, effect: () => void, done: DoneCallback): void {
    this.#later("read", life, effect, done);
  }

  /** The bytes must not change until `done`: a disk takes them whenever it likes. No file: it may not be written. */
  write(life: number, file: SimFile | undefined, source: Buffer, position: number, done: DoneCallback): void {
    const promised = Buffer.from(source);
    const effect = (): void => {
      if (file === undefined) throw systemError("EBADF", "opened to be read only");
      assert(promised.equals(source), "bytes are not changed while they are being written");
      this.#writeWithFaults(file, promised, position);
    };
    this.#later("write", life, effect, done);
  }

  /** `failuresKnown`: the file's failed syncs when the handle was opened. */
  sync(life: number, file: SimFile, failuresKnown: number, done: DoneCallback): void {
    const changeCount = file.changeCount;
    const effect = (): void => {
      if (file.syncFailureCount > failuresKnown) throw file.syncFailure;
      try {
        this.#failPerhaps("sync", this.faults.syncErrorChance);
      } catch (error) {
        file.failSync(this.#parts.random, error as Error);
        throw error;
      }
      file.makeDurable(changeCount);
    };
    this.#later("sync", life, effect, done);
  }

  /** A folder that is not there is an answer too, so it is looked up in here. */
  syncFolder(life: number, lookUp: () => SimFolder, done: DoneCallback): void {
    const node = outcomeOf(lookUp);
    const changeCount = node instanceof SimFolder ? node.changeCount : 0;
    const effect = (): void => {
      try {
        this.#failPerhaps("syncFolder", this.faults.syncErrorChance);
      } catch (error) {
        if (this.faults.losesNames && node instanceof SimFolder) {
          node.settle(this.#parts.random);
          this.#namesLostMs = this.#parts.clock.monotonicMs();
        }
        throw error;
      }
      if (!(node instanceof SimFolder)) throw node;
      node.makeDurable(changeCount);
    };
    this.#later("syncFolder", life, effect, done);
  }

  /** Answers later, never before this returns, with what went wrong in `effect`. */
  #later(call: DiskCall, life: number, effect: () => void, done: DoneCallback): void {
    this.assertAlive(life);
    this.#underWay.add(effect);
    const run = (): void => {
      // The disk may have come to a stall since the call began.
      const waitMs = this.#stalledUntilMs - this.#parts.clock.monotonicMs();
      if (waitMs > 0) {
        this.#parts.clock.timer(waitMs, run);
        return;
      }
      this.#underWay.delete(effect);
      const error = errorOf(effect);
      this.note(`${call} ${error === null ? "done" : error.message}`);
      done(error);
    };
    const latencyMs = (this.faults.latencyMsMax * this.#parts.random.integerBelow(1000)) / 1000;
    this.#parts.clock.timer(latencyMs, run);
  }

  assertAlive(life: number): void {
    assert(life === this.#life, `${this.#parts.name}: the process that makes this call is dead`);
  }

  isCold(): boolean {
    const isStalled = this.#stalledUntilMs > this.#parts.clock.monotonicMs();
    return isStalled || this.#parts.random.chance(this.faults.coldChance);
  }

  /** The processes end; what the disk was asked to do, it may still do. */
  kill(): void {
    this.#life++;
    for (const effect of this.#underWay) if (this.#parts.random.chance(0.5)) errorOf(effect);
    this.#underWay.clear();
    this.#handleCounts.clear();
    this.#locked.clear();
    this.note("killed");
  }

  cutPower(): void {
    this.kill();
    this.root.cutPower(this.#parts.random);
    this.#stalledUntilMs = 0;
    this.note("power cut");
  }

  /** A file without a name takes space for as long as it is open. */
  get spaceBytes(): number {
    const files = new Set<SimFile>(this.#handleCounts.keys());
    collectFiles(this.root, files);
    let sum = 0;
    for (const file of files) sum += file.current.spaceBytes;
    return sum;
  }

  /** What was written and not synced, and is not known to have reached the disk. */
  get unsyncedBytes(): number {
    const files = new Set<SimFile>();
    collectFiles(this.root, files);
    let sum = 0;
    for (const file of files) sum += file.unsyncedBytes;
    return sum;
  }

  lock(folder: SimFolder, path: string): FolderLock {
    if (this.#locked.has(folder)) throw systemError("EBUSY", path);
    this.#locked.add(folder);
    const life = this.#life;
    return {
      release: () => {
        if (life === this.#life) this.#locked.delete(folder);
      },
    };
  }

  addHandle(file: SimFile): void {
    this.#handleCounts.set(file, (this.#handleCounts.get(file) ?? 0) + 1);
  }

  dropHandle(file: SimFile): void {
    const count = this.#handleCounts.get(file) ?? 0;
    if (count > 1) this.#handleCounts.set(file, count - 1);
    else this.#handleCounts.delete(file);
  }

  #writeWithFaults(file: SimFile, bytes: Buffer, position: number): void {
    const room = this.#roomFor(file, bytes.length, position);
    try {
      this.#failPerhaps("write", this.faults.writeErrorChance);
    } catch (error) {
      const sectors = Math.floor(room / sectorBytes);
      this.#applyWrite(file, bytes.subarray(0, this.#parts.random.integerBelow(sectors + 1) * sectorBytes), position);
      throw error;
    }
    this.#applyWrite(file, bytes.subarray(0, room), position);
    if (room < bytes.length) throw systemError("ENOSPC", "the disk is full");
  }

  #applyWrite(file: SimFile, bytes: Buffer, position: number): void {
    if (bytes.length === 0) return;
    const change: Change = { kind: "write", position, lengthBytes: bytes.length, bytes: Buffer.from(bytes) };
    file.apply(change);
    this.observer?.(file, change);
  }

  /** How many of these bytes the disk has space for. */
  #roomFor(file: SimFile, lengthBytes: number, position: number): number {
    const { capacityBytes, fullFile } = this.faults;
    if (capacityBytes === Number.MAX_SAFE_INTEGER && file !== fullFile) return lengthBytes;
    let freeBlocks = file === fullFile ? 0 : Math.floor((capacityBytes - this.spaceBytes) / sparseBlockBytes);
    let room = 0;
    while (room < lengthBytes) {
      const at = position + room;
      const count = Math.min(sparseBlockBytes - (at % sparseBlockBytes), lengthBytes - room);
      freeBlocks -= file.current.missingBlocks(at, count);
      if (freeBlocks < 0) break;
      room += count;
    }
    return room;
  }

  #failPerhaps(call: DiskCall, chance: number): void {
    const index = this.#ordered.findIndex((it) => it.call === call);
    const ordered = index < 0 ? undefined : this.#ordered.splice(index, 1)[0];
    if (ordered !== undefined) throw systemError(ordered.code, `ordered for the next ${call}`);
    if (chance > 0 && this.#parts.random.chance(chance)) throw systemError("EIO", call);
  }

  #block(): void {
    const waitMs = this.#stalledUntilMs - this.#parts.clock.monotonicMs();
    if (waitMs > 0) this.#parts.clock.elapse(waitMs);
  }

  note(text: string): void {
    this.#parts.trace.add(`${this.#parts.name} disk: ${text}`);
  }
}

/** The answer or the error, where the error is one of the host's own kind; a broken assertion ends the test. */
function outcomeOf<Result>(call: () => Result): Result | NodeJS.ErrnoException {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof Error) || (error as NodeJS.ErrnoException).code === undefined) throw error;
    return error;
  }
}

function errorOf(effect: () => void): NodeJS.ErrnoException | null {
  const outcome: unknown = outcomeOf(effect);
  return outcome instanceof Error ? outcome : null;
}

function collectFiles(folder: SimFolder, files: Set<SimFile>): void {
  for (const node of folder.names.values()) {
    if (node.kind === "file") files.add(node);
    else collectFiles(node, files);
  }
}
