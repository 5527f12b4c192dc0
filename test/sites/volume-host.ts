/**
 * The host of one volume: submits requests to the volume's export as the NBD server would, in batches, and tells the
 * oracle what came back.
 */
import { command, nbdError } from "#src/nbd/constants.ts";
import type { NbdExport } from "#src/nbd/export.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { GroupOracle } from "./group-oracle.ts";
import type { HeldContent } from "./held-content.ts";
import { HostRequest } from "./host-request.ts";
import type { Protection } from "./protection.ts";
import type { SourceWatch } from "./source-watch.ts";
import { cellBytes, cellsPerBlock, putStamps, stampAt } from "./stamp.ts";
import { demand } from "./violation.ts";
import { type HostRead, VolumeModel, type WriteKind } from "./volume-model.ts";

export interface VolumeHostParts {
  readonly name: string;
  readonly volume: number;
  readonly blockCount: number;
  readonly cellCount: number;
  readonly held: HeldContent;
  /** How often a write is a large one. */
  readonly largeChance: number;
  readonly protection: Protection;
  readonly group: GroupOracle;
  readonly source: SourceWatch;
  readonly random: SeededRandom;
  /** Answers the number of the next write, each once. */
  readonly nextNumber: () => number;
  readonly note: (text: string) => void;
  /** Runs what may throw a `Violation` out of the product's reach. */
  readonly guard: (check: () => void) => void;
  /** Bits flip in what the source site keeps. */
  readonly isHarmed: boolean;
  /** Whether something was done to the site for which a request may fail with this error. */
  readonly mayFail: (error: number) => boolean;
}

const inFlightMax = 24;
const batchMax = 6;
const largeBlocks = 40;

export class VolumeHost {
  readonly model: VolumeModel;
  readonly #parts: VolumeHostParts;
  #export: NbdExport | undefined;
  readonly #underWay = new Set<HostRequest>();
  /** What the export has. */
  #cellCount: number;
  requestCount = 0;
  failureCount = 0;

  constructor(parts: VolumeHostParts) {
    this.#parts = parts;
    this.#cellCount = parts.cellCount;
    this.model = new VolumeModel(parts.volume, parts.cellCount, parts.isHarmed, parts.held);
  }

  get name(): string {
    return this.#parts.name;
  }

  get isAttached(): boolean {
    return this.#export !== undefined;
  }

  get inFlightCount(): number {
    return this.#underWay.size;
  }

  /** The export is open, for the first time or again: what it has is what it will go on from. */
  attach(opened: NbdExport, hadPower: boolean): void {
    const { source, nextNumber } = this.#parts;
    const cellCount = opened.sizeBytes / cellBytes;
    if (cellCount < this.#cellCount) {
      // What was cut off is gone for ever.
      const gone = this.#cellCount - cellCount;
      this.model.endWrite(this.model.submitWrite("zero", nextNumber(), cellCount, gone, true), true);
    }
    this.#cellCount = cellCount;
    this.model.recovered(source.visibleStamps(0, this.model.cellCount), hadPower);
    this.#export = opened;
  }

  /** Begins nothing more, and lets come to its end what is under way. */
  leave(): NbdExport {
    const target = this.#export as NbdExport;
    this.#export = undefined;
    return target;
  }

  /** To the export that it had left, in the same life of the site. */
  returnTo(target: NbdExport): void {
    this.#export = target;
  }

  /** The source site is gone, and nothing is heard of what was under way. */
  crash(): void {
    for (const request of this.#underWay) request.abandoned = true;
    this.#underWay.clear();
    this.#export = undefined;
    this.model.crash();
  }

  /** Somebody writes to the source by himself, where the host might: at once, and unasked. */
  changeSource(write: (firstCell: number, cellCount: number, number: number) => void): void {
    const { nextNumber, note, volume, random, source } = this.#parts;
    const { firstCell, cellCount } = this.#range(true);
    const isZero = random.chance(0.5);
    const number = nextNumber();
    note(`${volume} is changed by somebody: ${isZero ? "zeros" : "write"} ${number} of ${firstCell}+${cellCount}`);
    const change = this.model.submitWrite(isZero ? "zero" : "write", number, firstCell, cellCount, false);
    write(firstCell, cellCount, isZero ? 0 : number);
    source.lookAgain();
    // It happened, and counts as one of which nobody knows whether it did: until it is copied the order lacks it.
    this.model.endWrite(change, false);
  }

  /** What all of the volume may hold at a point that is asked for now. */
  beginPoint(): HostRead {
    return this.model.submitRead(0, this.model.cellCount);
  }

  /** `seq`: where the point is; undefined: there is none. */
  endPoint(point: HostRead, seq: number | undefined): void {
    const { group, volume, blockCount } = this.#parts;
    const sizeBytes = seq === undefined ? undefined : group.history.sizeAt(volume, seq);
    const content = seq === undefined ? undefined : group.history.contentAt(volume, blockCount, seq);
    const values = sizeBytes === undefined ? undefined : content?.subarray(0, sizeBytes / cellBytes);
    this.model.endRead(point, values === undefined ? undefined : [...values], `the point at ${seq} has`);
  }

  get group(): GroupOracle {
    return this.#parts.group;
  }

  /** What was not durable when a sync of the source failed may be gone; what is there now goes on. */
  lostUnprotected(): void {
    if (this.isAttached) this.model.recovered(this.#parts.source.visibleStamps(0, this.model.cellCount), false);
  }

  /** What the source holds is what the host may find. */
  demandContent(): void {
    const stamps = this.#parts.source.visibleStamps(0, this.model.cellCount);
    this.model.demandVisible(0, stamps, "the source has");
  }

  /** Some requests that come with one read from the socket. */
  submitSome(): void {
    const { random } = this.#parts;
    const most = Math.min(batchMax, inFlightMax - this.#underWay.size);
    if (this.#export === undefined || most <= 0) return;
    this.#submit(Array.from({ length: random.between(1, most) }, () => this.#draw()));
  }

  /** A request that is answered when all is well. */
  submitFlush(): void {
    if (this.#export !== undefined) this.#submit([this.#flush()]);
  }

  #submit(requests: readonly HostRequest[]): void {
    const target = this.#export as NbdExport;
    for (const request of requests) {
      this.requestCount++;
      this.#underWay.add(request);
      target.submit(request);
      if (request.command === command.read) request.leave();
    }
    target.endBatch();
    for (const request of requests) if (request.command !== command.read) request.leave();
  }

  #draw(): HostRequest {
    const { random } = this.#parts;
    const kind = random.integerBelow(100);
    if (kind < 14) return this.#read();
    if (kind < 28) return this.#flush();
    if (kind < 36) return this.#change("trim");
    if (kind < 44) return this.#change("zero");
    return this.#change("write");
  }

  #change(kind: WriteKind): HostRequest {
    const { random, volume, group, source, nextNumber, note, guard, protection } = this.#parts;
    const { firstCell, cellCount } = this.#range(kind === "write");
    const fua = random.chance(0.08);
    const number = nextNumber();
    const since = group.history.count;
    const wasUnprotected = protection.lostSince();
    const write = this.model.submitWrite(kind, number, firstCell, cellCount, fua);
    note(`${volume} submits ${kind} ${number} of ${firstCell}+${cellCount}${fua ? " with FUA" : ""}`);
    return this.#request({
      command: kind === "write" ? command.write : kind === "trim" ? command.trim : command.writeZeroes,
      firstCell,
      cellCount,
      fua,
      noHole: kind === "zero" && random.chance(0.5),
      number,
      ended: (error) => {
        note(`${volume} ends ${kind} ${number}: ${error}`);
        this.model.endWrite(write, error === 0);
        if (error !== 0 || write.cellCount === 0) return;
        const place = { since, isUnprotected: wasUnprotected() };
        guard(() => group.writeReplied(this.model, source, write, place));
      },
    });
  }

  #flush(): HostRequest {
    const { volume, group, source, note, guard, protection } = this.#parts;
    const flush = this.model.submitFlush();
    const since = group.history.count;
    const wasUnprotected = protection.lostSince();
    note(`${volume} submits flush of ${flush.covered.length}`);
    return this.#request({
      command: command.flush,
      firstCell: 0,
      cellCount: 0,
      ended: (error) => {
        note(`${volume} ends flush: ${error}`);
        if (error !== 0) return;
        const covered = flush.covered.filter((write) => !write.isDurable);
        this.model.endFlush(flush);
        const place = { since, isUnprotected: wasUnprotected() };
        guard(() => group.flushReplied(this.model, source, covered, place));
      },
    });
  }

  #read(): HostRequest {
    const { volume, note, guard } = this.#parts;
    const { firstCell, cellCount } = this.#range(false);
    const read = this.model.submitRead(firstCell, cellCount);
    note(`${volume} submits read of ${firstCell}+${cellCount}`);
    return this.#request({
      command: command.read,
      firstCell,
      cellCount,
      ended: (error, { buffer, start }) => {
        note(`${volume} ends read of ${firstCell}+${cellCount}: ${error}`);
        const stamps = error === 0 ? stampsIn(buffer, start, volume, firstCell, cellCount) : undefined;
        guard(() => this.model.endRead(read, stamps));
      },
    });
  }

  /** Whole blocks, parts of blocks, and both; large ones rarely. A few places are hit again and again. */
  #range(mayBeLarge: boolean): { readonly firstCell: number; readonly cellCount: number } {
    const { random, largeChance } = this.#parts;
    const cellCount = this.#cellCount;
    const blockCount = Math.ceil(cellCount / cellsPerBlock);
    const isLarge = mayBeLarge && random.chance(largeChance);
    const blocks = Math.min(blockCount, isLarge ? random.between(8, largeBlocks) : random.between(1, 4));
    const lastBlock = blockCount - blocks;
    const block = this.#place(lastBlock);
    const firstCell = block * cellsPerBlock;
    const whole = { firstCell, cellCount: Math.min(blocks * cellsPerBlock, cellCount - firstCell) };
    if (random.chance(0.6)) return whole;
    const from = random.integerBelow(whole.cellCount);
    return { firstCell: whole.firstCell + from, cellCount: random.between(1, whole.cellCount - from) };
  }

  /** Around the border of two regions, most of the time. */
  #place(lastBlock: number): number {
    const { random } = this.#parts;
    if (random.chance(0.4)) return random.integerBelow(lastBlock + 1);
    return Math.min(lastBlock, random.pick([0, 250, 506]) + random.integerBelow(10));
  }

  #request(what: {
    readonly command: number;
    readonly firstCell: number;
    readonly cellCount: number;
    readonly fua?: boolean;
    readonly noHole?: boolean;
    readonly number?: number;
    readonly ended: (error: number, request: HostRequest) => void;
  }): HostRequest {
    const { random, volume, mayFail, guard } = this.#parts;
    const length = what.cellCount * cellBytes;
    const payload = what.command === command.write ? Buffer.alloc(length) : undefined;
    if (payload !== undefined) putStamps(payload, 0, volume, what.firstCell, what.cellCount, what.number as number);
    const ended = (error: number, request: HostRequest): void => {
      this.#underWay.delete(request);
      if (error !== nbdError.ok) {
        this.failureCount++;
        guard(() => demand("conduct", mayFail(error), () => `volume ${volume} answers error ${error} for no reason`));
      }
      what.ended(error, request);
    };
    const { command: code, fua = false, noHole = false } = what;
    const start = random.pick([0, 28, 4096, 4124]);
    return new HostRequest(
      { command: code, offset: what.firstCell * cellBytes, length, fua, noHole, payload, ended },
      start,
    );
  }
}

function stampsIn(bytes: Buffer, start: number, volume: number, firstCell: number, cellCount: number): number[] {
  const stamps: number[] = [];
  for (let cell = 0; cell < cellCount; cell++)
    stamps.push(stampAt(bytes, start + cell * cellBytes, volume, firstCell + cell));
  return stamps;
}
