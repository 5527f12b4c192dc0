/** A view on a simulated machine, over a point that a test makes up. */
import { blockBytes } from "#src/core/limits.ts";
import { whenDone } from "#src/host/when-done.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { command } from "#src/nbd/constants.ts";
import type { StatusContext } from "#src/nbd/status-context.ts";
import { type ImageRuns, runKind } from "#src/synth/image-runs.ts";
import { LostSync } from "#src/synth/lost-sync.ts";
import type { ViewBase } from "#src/synth/view-base.ts";
import { ViewExport } from "#src/synth/view-export.ts";
import { ViewOverlay } from "#src/synth/view-overlay.ts";
import { RecordedRequest } from "#test/nbd/recorded-request.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";

/** Blocks of which each third is a hole; of the others each byte tells the block. */
export class ScriptedPoint implements ViewBase {
  readonly sizeBytes: number;
  readonly blockCount: number;
  readonly damaged = new Set<number>();
  /** It has to wait for a disk. */
  isCold = false;
  isClosed = false;
  readonly #host: SimHost;

  constructor(host: SimHost, sizeBytes: number) {
    this.#host = host;
    this.sizeBytes = sizeBytes;
    this.blockCount = Math.ceil(sizeBytes / blockBytes);
  }

  static byteOf(block: number): number {
    return block % 3 === 0 ? 0 : 1 + (block % 200);
  }

  runsIn(startBlock: number, blockCount: number, runs: ImageRuns): undefined {
    runs.clear();
    for (let block = startBlock; block < startBlock + blockCount && !runs.isFull; block++) {
      const isHole = block % 3 === 0;
      runs.add(isHole ? runKind.hole : runKind.data, block, 1, isHole ? 0 : 65_536 + 2 * block);
    }
  }

  read(startBlock: number, blockCount: number, target: Buffer, start: number): number[] | Promise<number[]> {
    const damaged: number[] = [];
    for (let index = 0; index < blockCount; index++) {
      const at = start + index * blockBytes;
      target.fill(ScriptedPoint.byteOf(startBlock + index), at, at + blockBytes);
      if (this.damaged.has(startBlock + index)) damaged.push(index);
    }
    if (!this.isCold) return damaged;
    return new Promise((resolve) => this.#host.clock.soon(() => resolve(damaged)));
  }

  readNow(startBlock: number, blockCount: number, target: Buffer, start: number): boolean {
    const damaged = this.isCold ? undefined : this.read(startBlock, blockCount, target, start);
    return Array.isArray(damaged) && damaged.length === 0;
  }

  close(): void {
    this.isClosed = true;
  }
}

const identity = { group: "c".repeat(32), incarnation: 77 };

export class ViewWorld {
  readonly simulation: Simulation;
  readonly host: SimHost;
  readonly point: ScriptedPoint;
  readonly driver;
  #view: ViewExport | undefined;

  constructor(seed: number, sizeBytes: number) {
    this.simulation = new Simulation(seed);
    this.host = this.simulation.host("a");
    this.driver = simDriver(this.simulation.clock);
    this.point = new ScriptedPoint(this.host, sizeBytes);
  }

  get view(): ViewExport {
    return this.#view as ViewExport;
  }

  async open({ isWritable = true, contexts = [] as readonly StatusContext[] } = {}): Promise<ViewExport> {
    const { clock, files } = this.host;
    const folder = new JournalFolder("/view");
    // As whoever keeps the views does before one is opened.
    if (!files.exists(folder.path)) {
      files.makeFolder(folder.path);
      await this.#waited(whenDone((done) => files.syncFolder("/", done)));
    }
    const { blockCount } = this.point;
    const lostSync = LostSync.open(this.host, "/view/lost-sync.json");
    const openAnew = () => ViewOverlay.open({ files, clock, folder, identity, blockCount, lostSync });
    const written = isWritable ? { overlay: await this.#waited(openAnew()), openAnew } : undefined;
    this.#view = new ViewExport({ name: "v", description: "a view", clock, base: this.point, written, contexts });
    return this.#view;
  }

  async #waited<Result>(promise: Promise<Result>): Promise<Result> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    promise.then(over, over);
    await this.driver.until(() => isOver);
    return promise;
  }

  submit(asked: ConstructorParameters<typeof RecordedRequest>[0]): RecordedRequest {
    const request = new RecordedRequest(asked);
    this.view.submit(request);
    return request;
  }

  /** A batch of one, to its end. */
  async ask(asked: ConstructorParameters<typeof RecordedRequest>[0]): Promise<RecordedRequest> {
    const request = this.submit(asked);
    this.view.endBatch();
    await this.driver.until(() => request.error !== undefined);
    return request;
  }

  async content(): Promise<Buffer> {
    const { error, data } = await this.ask({ command: command.read, length: this.point.sizeBytes });
    if (error !== 0) throw new Error(`the view cannot be read: ${error}`);
    return Buffer.from(data);
  }

  close(): Promise<Error | undefined> {
    return this.#waited(this.view.close());
  }
}

/** What the point has, before anything was written. */
export function pointContent(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; at += blockBytes) {
    bytes.fill(ScriptedPoint.byteOf(at / blockBytes), at, Math.min(at + blockBytes, sizeBytes));
  }
  return bytes;
}
