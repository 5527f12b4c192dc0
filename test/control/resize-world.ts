/**
 * A volume with all that looks after it (catalogue, keeper, interceptor, local appliance) on a simulated machine, which is
 * killed or loses its power at any event; and a host that knows what the volume must hold.
 */
import { expect } from "vitest";
import { defaultGroupPolicy, type GroupPolicy } from "#src/appliance/local/group-policy.ts";
import { LocalAppliance } from "#src/appliance/local/local-appliance.ts";
import { Catalogue } from "#src/control/catalogue.ts";
import { loadConfig } from "#src/control/config.ts";
import { InterceptorPart, type OpenVolume } from "#src/control/interceptor-part.ts";
import type { SideWord, SideWords } from "#src/control/side.ts";
import type { SideClient } from "#src/control/side-client.ts";
import { VolumeKeeper } from "#src/control/volume-keeper.ts";
import { VolumeOpener } from "#src/control/volume-opener.ts";
import { blockBytes, MiB } from "#src/core/limits.ts";
import type { Counters } from "#src/host/counters.ts";
import { shareCounters } from "#src/host/node/counters.ts";
import { command } from "#src/nbd/constants.ts";
import { driven } from "#test/contract/driver.ts";
import { RecordedRequest } from "#test/nbd/recorded-request.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { JournalingRemote } from "./journaling-remote.ts";

const { config } = loadConfig({ environment: {}, assignments: ["data=/data"], folder: "/" });
const policy: GroupPolicy = { ...defaultGroupPolicy, spoolSegmentBytes: 4 * MiB, spoolLimitBytes: 64 * MiB };
const noCounters: Counters = {
  counter: () => ({ add: () => {} }),
  gauge: () => ({ raise: () => {}, lower: () => {} }),
  read: () => ({}),
};
const secrets = { nbdTls: undefined, wireTls: undefined, wireToken: "0" };
const cataloguePath = "/data/interceptor/volumes.json";
const name = "disk";

export class ResizeWorld {
  readonly simulation: Simulation;
  readonly host: SimHost;
  readonly random: SeededRandom;
  remote = new JournalingRemote();
  #keeper!: VolumeKeeper;
  #part!: InterceptorPart;
  #volume: OpenVolume | undefined;
  /** What the volume must hold, block by block; what is missing is zeros. */
  readonly content = new Map<number, number>();
  sizeBytes: number;
  #lastValue = 0;

  private constructor(seed: number) {
    this.simulation = new Simulation(seed);
    this.host = this.simulation.host("a");
    this.random = this.simulation.random.fork("host");
    this.sizeBytes = 2 * MiB;
  }

  static async begun(seed: number): Promise<ResizeWorld> {
    const world = new ResizeWorld(seed);
    const { files } = world.host;
    for (const folder of ["/data", "/data/interceptor", "/data/local"]) files.makeFolder(folder);
    const source = files.create("/source");
    source.truncateNow(world.sizeBytes);
    source.close();
    world.host.disk.fileAt("/source").makeDurable(Number.MAX_SAFE_INTEGER);
    for (const folder of ["/", "/data"]) await world.run(new Promise((done) => files.syncFolder(folder, done)));
    const id = "0123456789abcdef".repeat(2);
    const definition = { id, name, group: name, source: "/source", sizeBytes: world.sizeBytes, baseMissing: false };
    await world.run(Catalogue.open(files, cataloguePath).add(definition));
    await world.start();
    return world;
  }

  run<Result>(promise: Promise<Result>): Promise<Result> {
    return driven(simDriver(this.simulation.clock), promise);
  }

  /** Resolves when the volume is open, as it is after each start. `meanwhile`: what is ordered before it is. */
  async start(meanwhile = (_: InterceptorPart): Promise<void> => Promise.resolve()): Promise<void> {
    await this.run(this.#begin());
    await this.run(meanwhile(this.#part));
    await simDriver(this.simulation.clock).until(
      () => this.#volume !== undefined && this.noted?.resizeTo === undefined,
    );
  }

  async #begin(): Promise<void> {
    const { host: machine } = this;
    this.remote = new JournalingRemote();
    this.#volume = undefined;
    const { connect } = this.remote;
    const parts = { machine, folder: "/data/local", policy, newGroupMode: "async", connect } as const;
    const appliance = await LocalAppliance.open(parts);
    const opener = new VolumeOpener(machine, appliance, noCounters, config);
    const opens = {
      open: async (...asked: Parameters<VolumeOpener["open"]>) => (this.#volume = await opener.open(...asked)),
    };
    const settings = { config, roles: ["interceptor", "local"], secrets, counters: shareCounters([], []) } as const;
    this.#part = await InterceptorPart.start(machine, opens, settings);
    const { randomness, clock, log } = machine;
    const ask = ((word: SideWord, asked: unknown) => this.#ask(word, asked)) as SideClient["ask"];
    const side = { ask, ended: new Promise<void>(() => {}) };
    const catalogue = Catalogue.open(machine.files, cataloguePath);
    this.#keeper = new VolumeKeeper({ catalogue, side, randomness, clock, log });
    this.#keeper.openAll();
  }

  async #ask(word: SideWord, ask: unknown): Promise<unknown> {
    if (word === "addVolume") {
      const { volume, isNew } = ask as SideWords["addVolume"]["ask"];
      return this.#part.addVolume(volume, isNew);
    }
    if (word !== "releaseVolume") throw new Error(`nobody asks for ${word}`);
    const { volume, sizeBytes } = ask as SideWords["releaseVolume"]["ask"];
    return this.#part.releaseVolume(volume, sizeBytes);
  }

  /** Undefined while it cannot be read. */
  get noted() {
    return Catalogue.open(this.host.files, cataloguePath).find(name);
  }

  order(sizeBytes: number): Promise<void> {
    return this.#keeper.resize(name, { sizeBytes, confirm: name });
  }

  /** Some writes and trims, and a flush over all of them. */
  async write(count: number): Promise<void> {
    const target = (this.#volume as OpenVolume).target;
    const blocks = this.sizeBytes / blockBytes;
    const requests: RecordedRequest[] = [];
    for (let index = 0; index < count; index++) {
      const block = this.random.chance(0.3) ? blocks - 1 : this.random.integerBelow(blocks);
      const value = ++this.#lastValue;
      this.content.set(block, value);
      requests.push(
        new RecordedRequest({ command: command.write, offset: block * blockBytes, payload: blockOf(value) }),
      );
    }
    requests.push(new RecordedRequest({ command: command.flush }));
    for (const request of requests) {
      target.submit(request);
      target.endBatch();
      await simDriver(this.simulation.clock).until(() => request.error !== undefined);
    }
    expect(requests.map(({ error }) => error)).toEqual(requests.map(() => 0));
  }

  /** What was behind the size is gone. */
  became(sizeBytes: number): void {
    this.sizeBytes = sizeBytes;
    for (const block of [...this.content.keys()]) if (block * blockBytes >= sizeBytes) this.content.delete(block);
  }

  /** Everybody tells of one size, and the source holds what it must. */
  expectWhole(): void {
    const file = this.host.disk.fileAt("/source").current;
    const { target } = this.#volume as OpenVolume;
    const sizes = [target.sizeBytes, file.sizeBytes, this.noted?.sizeBytes];
    expect(sizes).toEqual([this.sizeBytes, this.sizeBytes, this.sizeBytes]);
    const found = Buffer.alloc(this.sizeBytes);
    file.read(found, 0, found.length, 0);
    expect(differences(found, this.content)).toEqual([]);
  }

  /** As the interceptor tells of it; undefined while it does not look after it. */
  get facts() {
    return this.#part.volumes()[0];
  }

  get openBytes(): number {
    return (this.#volume as OpenVolume).target.sizeBytes;
  }

  /** All that was ever added is shipped, and makes what the source holds, whoever wrote that. */
  async expectCopied(): Promise<void> {
    this.remote.come();
    await this.simulation.clock.pass(10_000, () => false);
    const { current } = this.host.disk.fileAt("/source");
    const found = Buffer.alloc(this.sizeBytes);
    current.read(found, 0, found.length, 0);
    expect(this.remote.replayed().equals(found)).toBe(true);
  }

  /** All that was ever added is shipped, and makes what the volume holds. */
  async expectJournaled(): Promise<void> {
    this.remote.come();
    await this.simulation.clock.pass(1_000, () => false);
    expect(this.remote.sizeBytes).toBe(this.sizeBytes);
    expect(differences(this.remote.replayed(), this.content)).toEqual([]);
  }

  crash(hasPower: boolean): void {
    if (hasPower) this.host.kill();
    else this.host.cutPower();
  }
}

function blockOf(value: number): Buffer {
  const bytes = Buffer.alloc(blockBytes);
  for (let at = 0; at < blockBytes; at += 4) bytes.writeUInt32LE(value, at);
  return bytes;
}

const zeros = Buffer.alloc(blockBytes);

function differences(found: Buffer, content: ReadonlyMap<number, number>): string[] {
  const complaints: string[] = [];
  for (let block = 0; block * blockBytes < found.length; block++) {
    const bytes = found.subarray(block * blockBytes, (block + 1) * blockBytes);
    const wanted = content.get(block) ?? 0;
    if (!bytes.equals(wanted === 0 ? zeros : blockOf(wanted))) {
      complaints.push(`block ${block} has ${bytes.readUInt32LE(0)}, and should have ${wanted}`);
    }
  }
  return complaints.slice(0, 5);
}
