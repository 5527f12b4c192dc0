/** A simulated machine behind the same ports as a real one, with one disk or several, and the two ways in which it stops. */
import type { BlockDevice } from "#src/host/block-device.ts";
import type { Files } from "#src/host/files.ts";
import type { Log } from "#src/host/log.ts";
import type { Machine } from "#src/host/machine.ts";
import { openLog } from "#src/host/node/log.ts";
import type { Randomness } from "#src/host/randomness.ts";
import type { Sockets } from "#src/host/socket.ts";
import { MountedFiles } from "./mounted-files.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { SimBlockDevice } from "./sim-block-device.ts";
import type { SimClock } from "./sim-clock.ts";
import { SimDisk } from "./sim-disk.ts";
import { SimFiles } from "./sim-files.ts";
import { SimHostClock } from "./sim-host-clock.ts";
import type { SimNetwork } from "./sim-network.ts";
import { SimSockets } from "./sim-sockets.ts";
import type { Trace } from "./trace.ts";

export interface SimHostParts {
  readonly name: string;
  readonly clock: SimClock;
  readonly network: SimNetwork;
  readonly random: SeededRandom;
  readonly trace: Trace;
}

export class SimHost implements Machine {
  readonly name: string;
  readonly clock: SimHostClock;
  readonly disk: SimDisk;
  readonly files: Files;
  readonly sockets: Sockets;
  readonly randomness: Randomness;
  readonly log: Log;
  /** Each is told each line of it. */
  readonly logListeners: ((line: string) => void)[] = [];
  readonly #parts: SimHostParts;
  readonly #mounted: MountedFiles;
  readonly #otherDisks: SimDisk[] = [];
  #bootCount = 1;

  constructor(parts: SimHostParts) {
    const { name, network, random, trace } = parts;
    this.#parts = parts;
    this.name = name;
    this.clock = new SimHostClock(parts.clock);
    this.disk = new SimDisk({ name, clock: this.clock, random: random.fork("disk"), trace });
    this.#mounted = new MountedFiles(new SimFiles(this.disk));
    this.files = this.#mounted;
    this.sockets = new SimSockets(network, this);
    this.randomness = random.fork("randomness");
    this.log = openLog({
      level: "debug",
      format: "text",
      clock: this.clock,
      write: (line) => {
        trace.add(`${name} log: ${line}`);
        for (const listener of this.logListeners) listener(line);
      },
    });
  }

  /** Another disk, which is what lies in this folder of the root: as durable as if it had always been there. */
  mount(folder: string): SimDisk {
    const { name, random, trace } = this.#parts;
    const disk = new SimDisk({ name: `${name} ${folder}`, clock: this.clock, random: random.fork(folder), trace });
    const files = new SimFiles(disk);
    files.makeFolder(folder);
    disk.root.makeDurable(disk.root.changeCount);
    this.#mounted.mount(folder, files);
    this.#otherDisks.push(disk);
    return disk;
  }

  get bootId(): string {
    return `${this.name} boot ${this.#bootCount}`;
  }

  openBlockDevice(path: string, options: { readonly readOnly: boolean }): BlockDevice {
    return new SimBlockDevice(this.disk, path, options);
  }

  /** All processes end at once; what they wrote, the kernel still has. The host can be used anew. */
  kill(): void {
    this.clock.endLife();
    for (const disk of [this.disk, ...this.#otherDisks]) disk.kill();
    this.#parts.network.dropHost(this.name, true);
  }

  /** The machine stops; what was not synced may be lost, and nobody is told. It has power again at once. */
  cutPower(): void {
    this.#bootCount++;
    this.clock.endLife();
    for (const disk of [this.disk, ...this.#otherDisks]) disk.cutPower();
    this.#parts.network.dropHost(this.name, false);
  }
}
