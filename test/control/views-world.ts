/** The views of a remote appliance on a simulated machine; the test plays who pins, and who serves them. */

import { DrillBook } from "#src/control/drill-book.ts";
import type { ViewDefinition } from "#src/control/view.ts";
import { ViewShelf } from "#src/control/view-shelf.ts";
import type { ViewWord, ViewWords } from "#src/control/view-words.ts";
import { Views } from "#src/control/views.ts";
import type { VolumesOfGroup } from "#src/control/volume-of-group.ts";
import { RetryError } from "#src/core/errors.ts";
import type { HistoryPin } from "#src/synth/history-document.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

export const viewGroup = "d".repeat(32);

export class ViewsWorld {
  readonly simulation: Simulation;
  readonly host;
  readonly driver;
  /** As the store has them. */
  readonly pins = new Map<string, HistoryPin>();
  /** What was done, in its order. */
  readonly done: string[] = [];
  /** Views that are served. */
  readonly open = new Map<string, ViewDefinition>();
  /** The step before which the program ends. */
  endsBefore: string | undefined;
  /** Words that fail for a while. */
  readonly failing = new Set<string>();
  /** Why what was written to views need not be durable when they are closed. */
  lost: string | undefined;
  /** 0: nothing has come yet. */
  newestSeq = 9;
  /** What else is to be said of the newest. */
  note: string | undefined;
  /** Why nobody can tell which point is the newest. */
  newestLost: string | undefined;
  /** What is lost behind the newest. */
  skipped: string | undefined;
  /** The local appliance that is connected. */
  peer: string | undefined = "a";
  /** Of each view. */
  connections = 0;
  changes = 0;
  /** After its figures were asked for. */
  lateChanges = 0;
  readonly volumes = [{ number: 1, id: "x", name: "disk", sizeBytes: 4096 }];
  /** Instead of one that has these. */
  groups: readonly VolumesOfGroup[] | undefined;
  drills!: DrillBook;
  shelf!: ViewShelf;
  views!: Views;

  constructor(seed: number) {
    this.simulation = new Simulation(seed);
    this.host = this.simulation.host("a");
    this.driver = simDriver(this.simulation.clock);
  }

  /** As a start of the program does. */
  start(): Views {
    this.open.clear();
    this.shelf = ViewShelf.open(this.host.files, "/views");
    this.drills = DrillBook.open(this.host, "/drills.json");
    const { volumes } = this;
    this.views = new Views({
      machine: this.host,
      shelf: this.shelf,
      server: { isRunning: true, ask: (word, ask) => this.#serve(word, ask) },
      pins: {
        pin: async (_, pin) => {
          this.#step("pin");
          this.pins.set(pin.id, pin);
        },
        unpin: async (_, id) => {
          this.#step("unpin");
          this.pins.delete(id);
        },
        pins: async () => [...this.pins.values()],
      },
      groups: () => {
        const peer = this.peer === undefined ? {} : { peer: this.peer };
        return this.groups ?? [{ id: viewGroup, name: "g", durable: this.newestSeq, volumes, ...peer }];
      },
      drills: this.drills,
      uriOf: (_, name) => `nbd+unix:///${name}?socket=/v`,
    });
    this.views.start();
    return this.views;
  }

  #step(what: string): void {
    if (this.endsBefore === what) throw new Error("the program has ended");
    if (this.failing.has(what)) this.done.push(`${what} fails`);
    if (this.failing.has(what)) throw new RetryError(`${what} does not work just now`);
    this.done.push(what);
  }

  async #serve<Word extends ViewWord>(word: Word, ask: ViewWords[Word]["ask"]): Promise<ViewWords[Word]["answer"]> {
    return this.#answer(word, ask) as ViewWords[Word]["answer"];
  }

  #answer(word: ViewWord, ask: unknown): unknown {
    if (word === "facts" && !this.failing.has(word)) return [...this.open.values()].map(({ id }) => this.#figures(id));
    this.#step(word);
    if (word === "listen") return { kind: "unix", path: "/v" };
    if (word === "resolve") return this.#resolved(ask as ViewWords["resolve"]["ask"]);
    if (word === "close") {
      const { id, changes } = ask as ViewWords["close"]["ask"];
      if (changes !== undefined && this.changes + this.lateChanges !== changes) return { isWritten: true };
      this.open.delete(id);
      return this.lost === undefined ? {} : { lost: this.lost };
    }
    const { view } = ask as ViewWords["open"]["ask"];
    // What a view is opened of is held, and noted.
    if (!this.pins.has(`view:${view.id}`)) throw new Error("a view is pinned before it is opened");
    if (this.shelf.byName(view.name) === undefined) throw new Error("a view is noted before it is opened");
    this.open.set(view.id, view);
    return this.#figures(view.id);
  }

  #figures(id: string) {
    const { connections, changes } = this;
    return { id, sizeBytes: 4096, connections, findings: [], writtenBlocks: 0, changes };
  }

  #resolved({ words }: ViewWords["resolve"]["ask"]) {
    const none = { point: undefined, before: undefined, after: undefined };
    if (this.newestLost !== undefined && words === "now") return { ...none, why: this.newestLost, isLost: true };
    if (this.newestSeq === 0) return { ...none, why: "nothing is durable here yet", isNew: true };
    const seq = words === "now" ? this.newestSeq : Number(words.replace(/^(seq|mark):/, ""));
    const note = seq === this.newestSeq && this.note !== undefined ? { note: this.note } : {};
    if (seq <= this.newestSeq) return { point: { seq, timeMicros: seq }, ...note };
    const before = { seq: this.newestSeq, timeMicros: this.newestSeq };
    const skipped = this.skipped === undefined ? {} : { skipped: this.skipped };
    return { ...none, why: `there is no record ${seq} yet`, mayCome: true, before, ...skipped };
  }

  async waited<Result>(promise: Promise<Result>): Promise<Result> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    promise.then(over, over);
    await this.driver.until(() => isOver);
    return promise;
  }
}
