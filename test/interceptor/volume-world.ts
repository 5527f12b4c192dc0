/** A volume over a simulated disk, an appliance that follows a script, and requests that come as from a host. */
import { blockBytes, MiB } from "#src/core/limits.ts";
import { countersOver, shareCounters } from "#src/host/node/counters.ts";
import { DeviceSource } from "#src/interceptor/device-source.ts";
import { type InterceptedVolume, openVolume, type VolumeParts } from "#src/interceptor/intercepted-volume.ts";
import type { Source } from "#src/interceptor/source.ts";
import type { VolumeOptions } from "#src/interceptor/volume-options.ts";
import { command } from "#src/nbd/constants.ts";
import { RecordedRequest } from "#test/nbd/recorded-request.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { ScriptedLinks } from "./scripted-link.ts";

export interface WorldOptions {
  readonly seed?: number;
  readonly sizeBytes?: number;
  /** Most of the source is a hole. */
  readonly isSparse?: boolean;
  /** What the source holds at first is copied too; else it counts as known to the journal. */
  readonly hasBase?: boolean;
  readonly options?: Partial<VolumeOptions>;
}

export const volumeId = "00112233445566778899aabbccddeeff";

export class VolumeWorld {
  readonly simulation: Simulation;
  readonly host: SimHost;
  readonly links = new ScriptedLinks();
  readonly counters = countersOver(
    shareCounters(["writes_total", "write_bytes_total", "reads_total", "read_bytes_total"], []),
  );
  readonly sizeBytes: number;
  /** What the source held at first. */
  readonly initial: Buffer;
  readonly #options: Partial<VolumeOptions>;
  readonly #hasBase: boolean;
  #volume: InterceptedVolume | undefined;
  /** What the path of a test puts around each source. */
  wrap: (source: Source) => Source = (source) => source;

  constructor(options: WorldOptions = {}) {
    this.simulation = new Simulation(options.seed ?? 1);
    this.host = this.simulation.host("a");
    this.host.disk.faults.coldChance = 0;
    this.sizeBytes = options.sizeBytes ?? 8 * MiB;
    this.#options = options.options ?? {};
    this.#hasBase = options.hasBase ?? false;
    this.initial = Buffer.alloc(this.sizeBytes);
    const file = this.host.files.create("/source");
    file.truncateNow(this.sizeBytes);
    for (let at = 0; at < this.sizeBytes; at += options.isSparse ? 4 * MiB : MiB) {
      const end = Math.min(at + MiB, this.sizeBytes);
      for (let one = at; one < end; one += 512) {
        this.initial.fill(1 + ((one / 512) % 250), one, Math.min(one + 512, end));
      }
      file.writeNow(this.initial, at, end - at, at);
    }
    file.close();
    this.host.files.makeFolder("/volume");
    this.host.disk.fileAt("/source").makeDurable(Number.MAX_SAFE_INTEGER);
    this.host.disk.root.makeDurable(Number.MAX_SAFE_INTEGER);
  }

  get parts(): VolumeParts {
    const { host } = this;
    return {
      identity: { id: volumeId, name: "disk", group: "group", sizeBytes: this.sizeBytes },
      files: host.files,
      folder: "/volume",
      wasEmpty: !this.#hasBase,
      openSource: () =>
        Promise.resolve(this.wrap(new DeviceSource(host.openBlockDevice("/source", { readOnly: false }), host.clock))),
      links: this.links,
      clock: host.clock,
      log: host.log,
      counters: this.counters,
      options: this.#options,
    };
  }

  get volume(): InterceptedVolume {
    if (this.#volume === undefined) throw new Error("the volume is not open");
    return this.#volume;
  }

  /** Opens the volume, or says why it cannot be. */
  async open(): Promise<InterceptedVolume> {
    this.#volume = await this.run(openVolume(this.parts));
    return this.#volume;
  }

  static async opened(options: WorldOptions = {}): Promise<VolumeWorld> {
    const world = new VolumeWorld(options);
    await world.open();
    return world;
  }

  /** Lets things happen until the promise is settled. */
  async run<Result>(promise: Promise<Result>): Promise<Result> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    await turn();
    while (!isSettled) {
      if (!this.simulation.clock.step()) throw new Error("nothing is left to happen, and the promise is not settled");
      await turn();
    }
    return promise;
  }

  /** Lets all happen that happens within this time. */
  async pass(durationMs: number): Promise<void> {
    const endMs = this.simulation.clock.nowMs + durationMs;
    await turn();
    while (this.simulation.clock.nowMs < endMs) {
      this.simulation.clock.advance(Math.min(0.25, endMs - this.simulation.clock.nowMs));
      await turn();
    }
  }

  /** One batch of requests. */
  batch(requests: readonly RecordedRequest[]): void {
    for (const request of requests) this.volume.submit(request);
    this.volume.endBatch();
    for (const request of requests) {
      if (!request.isKept && request.error === undefined)
        throw new Error("a request outlives its batch without being kept");
    }
  }

  submit(asked: ConstructorParameters<typeof RecordedRequest>[0]): RecordedRequest {
    const request = new RecordedRequest(asked);
    this.batch([request]);
    return request;
  }

  write(offset: number, payload: Buffer, fua = false): RecordedRequest {
    return this.submit({ command: command.write, offset, payload, fua });
  }

  flush(): RecordedRequest {
    return this.submit({ command: command.flush });
  }

  trim(offset: number, length: number): RecordedRequest {
    return this.submit({ command: command.trim, offset, length });
  }

  zero(offset: number, length: number, noHole = false): RecordedRequest {
    return this.submit({ command: command.writeZeroes, offset, length, noHole });
  }

  /** Makes a region's first write wait for nothing: what most tests are not about. */
  async warmUp(): Promise<void> {
    for (let at = 0; at < this.sizeBytes; at += MiB) this.write(at, this.initial.subarray(at, at + blockBytes));
    await this.pass(50);
  }

  /** What the source holds, as programs see it. */
  get source(): Buffer {
    const bytes = Buffer.alloc(this.sizeBytes);
    this.host.disk.fileAt("/source").current.read(bytes, 0, this.sizeBytes, 0);
    return bytes;
  }

  /** The machine stops, and has power again. The appliance keeps some of what was not durable, by chance. */
  cutPower(): void {
    const { links } = this;
    const free = links.journal.length - links.durableCount;
    this.host.cutPower();
    links.cutPower(links.durableCount + this.simulation.random.integerBelow(free + 1));
    this.#volume = undefined;
  }

  /** The program is killed, the appliance with it; what they wrote is there. */
  kill(): void {
    this.host.kill();
    this.links.current = undefined;
    this.#volume = undefined;
  }

  async stop(): Promise<void> {
    await this.run(this.volume.stop(5_000));
    this.#volume = undefined;
  }
}

/** Resolved promises run before the next turn of Node's own loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export function filled(byteLength: number, value: number): Buffer {
  return Buffer.alloc(byteLength, value);
}
