/**
 * A volume as the host sees it: an NBD export in front of a source, whose changes all go to the local appliance first.
 *
 *     open ──▶ fenced ──(unfence)──▶ redoing ──▶ open
 *
 * Reads go straight to the source, also while the volume is fenced, unless that is because the source could not be
 * synced: then it may have gone back to an older state. While records are redone the source is on its way from such a
 * state to the newest, and reads wait.
 *
 * That a volume was fenced is not kept over a restart: a start does the same as `unfence`, opens the source anew and
 * redoes all that it does not have durably. If the source is still broken, this fails.
 */
import { assert } from "#src/core/assert.ts";
import { RefuseError } from "#src/core/errors.ts";
import { blockBytes, writeTraceCountMax } from "#src/core/limits.ts";
import { nbdExtentsPerReplyMax, nbdPayloadBytesMax } from "#src/core/nbd-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Counters } from "#src/host/counters.ts";
import type { FaultHook } from "#src/host/faults.ts";
import type { Files } from "#src/host/files.ts";
import type { Log } from "#src/host/log.ts";
import { allocationFlag, baseAllocation, command, nbdError } from "#src/nbd/constants.ts";
import { nbdErrorOf } from "#src/nbd/error-number.ts";
import type { ExportFeatures, ExportRequest, NbdExport } from "#src/nbd/export.ts";
import type { BlockSizes } from "#src/nbd/option-codec.ts";
import type { VolumeIdentity, VolumeLinks } from "#src/wire/volume-link.ts";
import { hasLostWrites } from "./completion.ts";
import { describeProtected } from "./export-description.ts";
import { convertRegionMap } from "./region-map-conversion.ts";
import { RegionMapFile } from "./region-map-file.ts";
import type { OpenSource, Source } from "./source.ts";
import { readsZeros } from "./source-zeros.ts";
import { FigurePublisher, VolumeFigures } from "./volume-figures.ts";
import { type VolumeOptions, volumeOptionDefaults } from "./volume-options.ts";
import { type VolumeStatus, volumeStatus } from "./volume-status.ts";
import { WritePath } from "./write-path.ts";
import { type TracedRecord, WriteTrace } from "./write-trace.ts";

export interface VolumeParts {
  readonly identity: VolumeIdentity;
  readonly files: Files;
  /** Where the volume's region map is kept; the folder is there. */
  readonly folder: string;
  /** The source held nothing when the volume was added: there is nothing to copy. */
  readonly wasEmpty: boolean;
  /** It is to be taken as it is, although it may be older than what was journaled. */
  readonly takesSource?: boolean;
  readonly openSource: OpenSource;
  readonly links: VolumeLinks;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: Counters;
  readonly options?: Partial<VolumeOptions>;
  readonly hook?: FaultHook | undefined;
}

export type VolumeCondition = "open" | "redoing" | "fenced" | "stopped";

/** One life of the volume between a start and a failure. */
interface Life {
  readonly source: Source;
  readonly mapFile: RegionMapFile;
  readonly path: WritePath;
}

/** Resolves when the export may be opened: the source has all that the appliance acknowledged. */
export async function openVolume(parts: VolumeParts): Promise<InterceptedVolume> {
  const volume = new InterceptedVolume(parts);
  await volume.begin(parts.takesSource ?? false);
  return volume;
}

export class InterceptedVolume implements NbdExport {
  readonly name: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly metaContexts = [baseAllocation];
  readonly figures = new VolumeFigures();
  readonly #parts: VolumeParts;
  readonly #log: Log;
  readonly #options: VolumeOptions;
  readonly #publisher: FigurePublisher;
  /** Undefined while the source is in a state that the host never saw. */
  #life: Life | undefined;
  /** Of the life before, until it is let go of. */
  #formerSource: Source | undefined;
  /** Of the newest life that has ended: what it had lost is missing until there is another one. */
  #endedSource: Source | undefined;
  #condition: VolumeCondition = "redoing";
  /** Settled when nothing is opened anew. */
  #unfencing: Promise<void> = Promise.resolve();
  #why: Error | undefined;
  /** Reads that wait for the end of the redo. */
  #heldReads: ExportRequest[] = [];
  #trace: WriteTrace | undefined;

  constructor(parts: VolumeParts) {
    const { identity } = parts;
    this.#parts = parts;
    this.#log = parts.log.with({ volume: identity.name });
    this.#options = { ...volumeOptionDefaults, ...parts.options };
    this.#publisher = new FigurePublisher(this.figures, parts.counters);
    this.name = identity.name;
    this.description = describeProtected(identity.group);
    this.sizeBytes = identity.sizeBytes;
  }

  get blockSizes(): BlockSizes {
    const minimumBytes = this.#life?.source.minimumBytes ?? 1;
    return { minimumBytes, preferredBytes: blockBytes, payloadBytesMax: nbdPayloadBytesMax };
  }

  get features(): ExportFeatures {
    return {
      readOnly: false,
      flush: true,
      trim: true,
      writeZeroes: true,
      fastZero: true,
      cache: true,
      multiConnection: true,
      rotational: this.#life?.source.rotational ?? false,
    };
  }

  // The life of it

  /** Opens everything and redoes what the source may lack. Called once. */
  async begin(takesSource = false): Promise<void> {
    assert(this.#life === undefined, "a volume is begun once");
    const life = await this.#openLife();
    try {
      await life.path.start(takesSource);
    } catch (error) {
      await this.#close(life.source);
      throw error;
    }
    life.mapFile.waitForRoom({ clock: this.#parts.clock, log: this.#log });
    // A host that only reads would get nothing but errors, and nobody would know why.
    life.source.whenLost?.((error) => life.path.failed(error));
    this.#life = life;
    this.#nowOpen();
  }

  async #openLife(): Promise<Life> {
    const { openSource, files, folder, identity, wasEmpty, links, clock } = this.#parts;
    const source = await openSource();
    try {
      if (source.sizeBytes !== identity.sizeBytes) {
        throw new RefuseError(
          `the source of ${identity.name} has ${source.sizeBytes} bytes, and the volume ${identity.sizeBytes}: ` +
            `'tidemark volume resize ${identity.name} ${source.sizeBytes}' brings them together`,
        );
      }
      const mapPath = `${folder}/regions`;
      await convertRegionMap(files, mapPath, identity, (fromByte) => readsZeros(source, fromByte));
      const mapFile = await RegionMapFile.open(files, mapPath, identity, wasEmpty);
      const path = new WritePath({
        ...{ identity, source, mapFile, links, clock, log: this.#log, options: this.#options, figures: this.figures },
        hook: this.#parts.hook,
        fenced: (error) => this.#fenced(error),
      });
      path.trace = this.#trace;
      return { source, mapFile, path };
    } catch (error) {
      await this.#close(source);
      throw error;
    }
  }

  /** For good, or for a reason that is told instead. */
  async #close(source: Source | undefined): Promise<void> {
    try {
      await source?.close();
    } catch (error) {
      this.#log.warn("the source was not let go of in good order", { error: error as Error });
    }
  }

  #nowOpen(): void {
    this.#condition = "open";
    this.#why = undefined;
    for (const request of this.#heldReads.splice(0)) this.submit(request);
  }

  #fenced(error: Error): void {
    this.#condition = "fenced";
    this.#why = error;
  }

  /** After a person has looked: opens the source anew and redoes what it may have lost. */
  async unfence(): Promise<void> {
    if (this.#condition !== "fenced") {
      throw new RefuseError(`the volume ${this.name} is not fenced: it is ${this.#condition}`);
    }
    this.#condition = "redoing";
    const opened = this.#openAnew();
    this.#unfencing = opened.catch(() => {});
    await opened;
  }

  async #openAnew(): Promise<void> {
    try {
      await this.#endLife();
      await this.begin();
      this.#log.info("the volume is not fenced any more");
    } catch (error) {
      this.#fenced(error as Error);
      for (const request of this.#heldReads.splice(0)) request.complete(nbdError.io);
      throw error;
    }
  }

  /** Hosts go on reading until then. From here on they wait, so that what is under way at the source comes to an end. */
  async #endLife(): Promise<void> {
    await this.#life?.path.stop(0);
    this.#formerSource = this.#life?.source ?? this.#formerSource;
    this.#endedSource = this.#formerSource ?? this.#endedSource;
    this.#life = undefined;
    await this.#formerSource?.close();
    this.#formerSource = undefined;
  }

  /** The source was changed by somebody else, or put back: all of it is copied into the order again. */
  async resync(): Promise<void> {
    const path = this.#life?.path;
    if (this.#condition !== "open" || path === undefined) {
      throw new RefuseError(`the volume ${this.name} is ${this.#condition}: it must be open to be copied again`);
    }
    await path.copyAll();
  }

  /** The export is gone already. What came in may take so long to come to its end. Answers how it then was. */
  async stop(graceMs: number): Promise<VolumeStatus> {
    this.#condition = "stopped";
    // What it opens would stay open, and attached.
    await this.#unfencing;
    this.#condition = "stopped";
    for (const request of this.#heldReads.splice(0)) request.complete(nbdError.shutdown);
    await this.#life?.path.stop(graceMs);
    const status = this.status();
    await this.#close(this.#life?.source);
    this.#life = undefined;
    return status;
  }

  status(): VolumeStatus {
    const { path, mapFile, source = this.#endedSource } = this.#life ?? {};
    return volumeStatus(this.#condition, this.#why, path, mapFile, source);
  }

  /** Remembers the life of the last records from now on; 0: no more. */
  traceLast(count: number): void {
    this.#trace = count === 0 ? undefined : new WriteTrace(Math.min(count, writeTraceCountMax));
    if (this.#life !== undefined) this.#life.path.trace = this.#trace;
  }

  trace(): readonly TracedRecord[] {
    return this.#trace?.records() ?? [];
  }

  // Requests

  submit(request: ExportRequest): void {
    switch (request.command) {
      case command.read:
        return this.#read(request);
      case command.write:
        this.figures.writes++;
        this.figures.writeBytes += request.length;
        return this.#change(request);
      case command.trim:
        this.figures.trims++;
        return this.#trim(request);
      case command.writeZeroes:
        this.figures.zeroings++;
        return this.#writeZeroes(request);
      case command.flush:
        this.figures.flushes++;
        return this.#flush(request);
      case command.cache:
        this.#life?.source.willNeed(request.offset, request.length);
        return request.complete(nbdError.ok);
      case command.blockStatus:
        return this.#status(request);
      default:
        return request.complete(nbdError.invalid);
    }
  }

  /** Trims and zeroings are writes too. A zeroing that would not be fast is refused as it was asked for. */
  failed(request: ExportRequest, error: number): void {
    if (error === nbdError.notSupported) return;
    if (request.command === command.flush) this.figures.failedFlushes++;
    else if (isChange(request.command)) this.figures.failedWrites++;
    else this.figures.failedReads++;
  }

  endBatch(): void {
    this.#life?.path.endBatch();
    this.#publisher.publish();
  }

  #change(request: ExportRequest): void {
    if (this.#condition === "open") this.#life?.path.submit(request);
    else request.complete(this.#refusal);
  }

  #flush(request: ExportRequest): void {
    if (this.#condition === "open") this.#life?.path.flush(request);
    else request.complete(this.#refusal);
  }

  /** Whoever meets a full disk can do something about it. */
  get #refusal(): number {
    return this.#why === undefined ? nbdError.io : nbdErrorOf(this.#why);
  }

  /** Where a trim would not read as zeros afterwards, it is none: a trim may always be ignored. */
  #trim(request: ExportRequest): void {
    if (this.#life?.source.trimReadsZeros === false) request.complete(nbdError.ok);
    else this.#change(request);
  }

  #writeZeroes(request: ExportRequest): void {
    if (request.fastZero && this.#life?.source.clearsFast(request.noHole) === false) {
      return request.complete(nbdError.notSupported);
    }
    this.#change(request);
  }

  #read(request: ExportRequest): void {
    const source = this.#readable(request);
    if (source === undefined) return;
    const { buffer, start, length, offset } = request;
    this.figures.reads++;
    this.figures.readBytes += length;
    try {
      if (source.readIfCached(buffer, start, length, offset)) return request.complete(nbdError.ok);
    } catch (error) {
      return request.complete(nbdErrorOf(error));
    }
    request.keep();
    this.figures.slowReads++;
    source.read(request.buffer, request.start, length, offset, (error) => {
      this.figures.slowReadsEnded++;
      // Meanwhile the source may have gone back to an older state.
      if (source === this.#source) request.complete(nbdErrorOf(error));
      else this.submit(request);
    });
  }

  #status(request: ExportRequest): void {
    const source = this.#readable(request);
    if (source === undefined) return;
    const countMax = request.requestOne ? 1 : nbdExtentsPerReplyMax;
    let isEnded = false;
    let isSlow = false;
    try {
      source.extents(request.offset, request.length, countMax, (error, runs) => {
        isEnded = true;
        if (isSlow) this.figures.slowReadsEnded++;
        if (error !== null || runs.length === 0) return request.complete(nbdErrorOf(error) || nbdError.io);
        const extents = runs.map((run) => ({
          lengthBytes: run.lengthBytes,
          status: (run.hole ? allocationFlag.hole : 0) | (run.zero ? allocationFlag.zero : 0),
        }));
        request.completeStatus(request.contexts.map(() => extents));
      });
    } catch (error) {
      return request.complete(nbdErrorOf(error));
    }
    if (isEnded) return;
    isSlow = true;
    this.figures.slowReads++;
    request.keep();
  }

  /** Undefined while it may be in a state that the host never saw. */
  get #source(): Source | undefined {
    const source = this.#life?.source;
    return source === undefined || hasLostWrites(source) ? undefined : source;
  }

  /** Undefined: the request waits, or was answered. */
  #readable(request: ExportRequest): Source | undefined {
    if (this.#source !== undefined) return this.#source;
    if (this.#condition !== "redoing") request.complete(nbdError.io);
    else {
      request.keep();
      this.#heldReads.push(request);
    }
    return undefined;
  }
}

function isChange(one: number): boolean {
  return one === command.write || one === command.trim || one === command.writeZeroes;
}
