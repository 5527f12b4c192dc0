/**
 * A simulated world from one seed: a clock, a network and any number of hosts. The same seed and the same program have
 * the same outcome, always; what happened is in `trace`.
 */
import { SeededRandom } from "./seeded-random.ts";
import { SimClock } from "./sim-clock.ts";
import { SimHost } from "./sim-host.ts";
import { SimNetwork } from "./sim-network.ts";
import { Trace } from "./trace.ts";

export class Simulation {
  readonly seed: number;
  readonly clock = new SimClock();
  readonly random: SeededRandom;
  readonly trace = new Trace(() => this.clock.nowMs);
  readonly network: SimNetwork;

  constructor(seed: number) {
    this.seed = seed;
    this.random = new SeededRandom(seed);
    this.network = new SimNetwork(this.clock, this.random.fork("network"), this.trace);
  }

  host(name: string): SimHost {
    const { clock, network, trace } = this;
    return new SimHost({ name, clock, network, trace, random: this.random.fork(`host ${name}`) });
  }
}
