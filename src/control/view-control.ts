/** What operators may ask and order of views, where there is a remote appliance. */
import { RefuseError } from "#src/core/errors.ts";
import { historyPatienceMs } from "#src/core/point-limits.ts";
import type { DensityReport, DensityWish, PointReport, PointWish } from "./density.ts";
import type { DrillNote, DrillReport, DrillsReport, RefusedDrill } from "./drill.ts";
import type { PointsOnTheWay } from "./points-on-the-way.ts";
import type { SideClient } from "./side-client.ts";
import { UnknownNameError } from "./unknown-name.ts";
import type { ViewFacts, ViewRequest } from "./view.ts";
import type { ViewClosing } from "./view-closing.ts";
import type { HistoryWish, TimelineReport } from "./volume-history.ts";

export class ViewControl {
  readonly #side: SideClient | undefined;
  readonly #arrived: PointsOnTheWay["arrived"];

  /** `side` undefined: there is no remote appliance here. */
  constructor(side: SideClient | undefined, arrived: PointsOnTheWay["arrived"]) {
    this.#side = side;
    this.#arrived = arrived;
  }

  all(): Promise<readonly ViewFacts[]> {
    return this.#remote.ask("views", null);
  }

  async one(name: string): Promise<ViewFacts> {
    const view = (await this.all()).find((one) => one.name === name);
    if (view === undefined) throw new UnknownNameError(`there is no view '${name.slice(0, 64)}'`);
    return view;
  }

  async open(request: ViewRequest): Promise<ViewFacts> {
    const remote = this.#remote;
    const { volume, point, isNearest = false, since = [] } = request;
    // A point since when may have a name before it.
    const points = [...(isNearest ? [] : [point]), ...since.map((one) => one.slice(one.indexOf("=") + 1))];
    await this.#arrived(volume, points);
    return remote.ask("openView", request);
  }

  async history(wish: HistoryWish): Promise<TimelineReport> {
    const remote = this.#remote;
    await this.#arrived(wish.volume, boundsOf(wish));
    return remote.ask("history", wish, historyPatienceMs);
  }

  async density(wish: DensityWish): Promise<DensityReport> {
    const remote = this.#remote;
    await this.#arrived(wish.volume, boundsOf(wish));
    return remote.ask("density", wish, historyPatienceMs);
  }

  /** What a point in words stands for. */
  async point(wish: PointWish): Promise<PointReport> {
    const remote = this.#remote;
    await this.#arrived(wish.volume, wish.isNearest ? [] : [wish.point]);
    return remote.ask("point", wish);
  }

  /** One that was put away has its export again. */
  async reopen(name: string): Promise<ViewFacts> {
    await this.one(name);
    return this.#remote.ask("reopenView", { name });
  }

  /** Somebody still holds it. */
  async renew(name: string): Promise<void> {
    await this.#remote.ask("renewView", { name });
  }

  async close(name: string, how: ViewClosing): Promise<void> {
    const { writable } = await this.one(name);
    if (how === "kept" && !writable) throw new RefuseError(`nothing was written to view '${name}': it is only closed`);
    await this.#remote.ask("closeView", { name, how });
  }

  drills(): Promise<DrillsReport> {
    return this.#remote.ask("drills", null);
  }

  async noteDrill(note: DrillNote): Promise<DrillReport> {
    await this.one(note.view);
    return this.#remote.ask("noteDrill", note);
  }

  /** Its point is refused since something is lost. */
  noteRefusedDrill(refused: RefusedDrill): Promise<DrillReport> {
    return this.#remote.ask("noteRefusedDrill", refused);
  }

  get #remote(): SideClient {
    if (this.#side !== undefined) return this.#side;
    throw new RefuseError("views are the remote appliance's, which does not run here: name its API, with --api URL");
  }
}

/** What is between them is told as far as it is there: only of a mark somebody would say that there is none. */
function boundsOf({ from, to }: Pick<HistoryWish, "from" | "to">): readonly string[] {
  return [from, to].filter((point): point is string => point?.startsWith("mark:") === true);
}
