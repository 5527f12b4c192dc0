/** What operators may ask and order of snapshots, where there is a remote appliance. */
import { RefuseError } from "#src/core/errors.ts";
import type { SnapshotDescriptionItem } from "#src/synth/snapshot-description.ts";
import type { PointsOnTheWay } from "./points-on-the-way.ts";
import type { SideClient } from "./side-client.ts";
import type { SnapshotAnswer, SnapshotFacts, SnapshotWish } from "./snapshot-facts.ts";
import { UnknownNameError } from "./unknown-name.ts";

export class SnapshotControl {
  readonly #side: SideClient | undefined;
  readonly #arrived: PointsOnTheWay["arrived"];

  /** `side` undefined: there is no remote appliance here. */
  constructor(side: SideClient | undefined, arrived: PointsOnTheWay["arrived"]) {
    this.#side = side;
    this.#arrived = arrived;
  }

  /** The newest is last. */
  async all(volume: string): Promise<readonly SnapshotFacts[]> {
    const remote = this.#remote;
    await this.#arrived(volume, []);
    return remote.ask("snapshots", { volume });
  }

  async make(wish: SnapshotWish): Promise<SnapshotAnswer> {
    const remote = this.#remote;
    await this.#arrived(wish.volume, wish.point === undefined ? [] : [wish.point]);
    return remote.ask("makeSnapshot", wish);
  }

  async remove(volume: string, id: string): Promise<void> {
    await this.#remote.ask("removeSnapshot", { volume, seq: await this.#known(volume, id) });
  }

  async inspect(volume: string, id: string): Promise<readonly SnapshotDescriptionItem[]> {
    return this.#remote.ask("inspectSnapshot", { volume, seq: await this.#known(volume, id) });
  }

  async #known(volume: string, id: string): Promise<number> {
    const found = (await this.all(volume)).find(({ seq }) => String(seq) === id);
    if (found !== undefined) return found.seq;
    throw new UnknownNameError(`volume '${volume.slice(0, 64)}' has no snapshot '${id.slice(0, 64)}'`);
  }

  get #remote(): SideClient {
    if (this.#side !== undefined) return this.#side;
    throw new RefuseError(
      "snapshots are the remote appliance's, which does not run here: name its API, with --api URL",
    );
  }
}
