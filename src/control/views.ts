/**
 * The views of a remote appliance: which there are is kept durably here, their points are pinned in the store by whoever keeps it, and
 * a process of their own serves them. When that ends, or the program does, they are opened anew.
 *
 * Invariants: a point is pinned durably before the view that has it is noted, and noted before it is opened; it is unpinned after
 * the view is gone. So a crash at any moment leaves at most a pin that holds for nobody, which goes at the next start; where
 * the store does not answer, it goes as soon as it does.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { RefuseError, StopError } from "#src/core/errors.ts";
import { viewIdBytes, viewLeaseMs, viewLookMs, viewPatienceMs, viewsMax } from "#src/core/view-limits.ts";
import type { Machine } from "#src/host/machine.ts";
import { raiseOwnFault } from "#src/host/own-fault.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import { inWords } from "#src/host/system-words.ts";
import type { Drill, DrillNote } from "./drill.ts";
import type { DrillBook } from "./drill-book.ts";
import { Leases } from "./leases.ts";
import { checkName } from "./name.ts";
import type { PinKeeper } from "./pin-keeper.ts";
import { itemNamed } from "./unknown-name.ts";
import { type ViewDefinition, type ViewFacts, type ViewFigures, type ViewRequest, viewPin } from "./view.ts";
import {
  refusalOfChanged,
  refusalOfWritten,
  refusalToLose,
  type ViewAsCopied,
  type ViewClosing,
} from "./view-closing.ts";
import { viewFacts } from "./view-facts.ts";
import { dropStrayPins } from "./view-pins.ts";
import { type ResolvedPoint, ViewPoints } from "./view-points.ts";
import type { ViewProcess } from "./view-process.ts";
import { ViewRetry } from "./view-retry.ts";
import type { ViewShelf } from "./view-shelf.ts";
import type { ClosedView } from "./view-words.ts";
import { findVolume, type VolumesOfGroup } from "./volume-of-group.ts";

export interface ViewsParts {
  readonly machine: Pick<Machine, "clock" | "randomness" | "log">;
  readonly shelf: ViewShelf;
  readonly server: Pick<ViewProcess, "ask" | "isRunning">;
  readonly pins: PinKeeper;
  readonly groups: () => readonly VolumesOfGroup[];
  readonly drills: DrillBook;
  /** Of an export of this name; undefined: where the door is to be. */
  readonly uriOf: (where: SocketAddress | undefined, name: string) => string;
}

export class Views {
  readonly points: ViewPoints;
  readonly #parts: ViewsParts;
  /** By the ids of views that go when nobody says any more that he holds them. */
  readonly #leases: Leases;
  /** Why those are not open that should be. */
  readonly #failures = new Map<string, string>();
  readonly #opened = new Set<string>();
  /** Views that are to be thrown away, by their ids: it has failed, and nobody else will do it. */
  readonly #leftovers = new Map<string, ViewDefinition>();
  #door: SocketAddress | undefined;
  #figures: readonly ViewFigures[] = [];
  readonly #openingAgain: ViewRetry;
  readonly #tidyingAgain: ViewRetry;
  #isStopped = false;
  /** What changes the shelf is done one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: ViewsParts) {
    this.#parts = parts;
    const { clock } = parts.machine;
    this.points = new ViewPoints(parts);
    this.#leases = new Leases(clock, viewLeaseMs);
    this.#openingAgain = new ViewRetry(clock, () => void this.#inTurn(() => this.#openAll()));
    this.#tidyingAgain = new ViewRetry(clock, () => void this.#inTurn(() => this.#tidy()));
  }

  /** Opens what was open when the program ended, and lets go of pins that hold for nobody. Never rejects. */
  start(): void {
    const { shelf, machine } = this.#parts;
    shelf.sweep();
    for (const [id, error] of shelf.damaged) machine.log.error("a view cannot be opened any more", { id, error });
    // Who holds one has time to say so.
    for (const view of shelf.all) if (view.isLeased === true) this.#lease(view);
    void this.#inTurn(() => this.#openAll());
    void this.#inTurn(() => this.#tidy());
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** The process has ended: all that it had open is opened anew, by another one. */
  lost(error: Error): void {
    this.#opened.clear();
    this.#parts.machine.log.error("views are opened anew", { error });
    this.#openingAgain.later();
  }

  async #openAll(): Promise<void> {
    let isAnyLeft = false;
    for (const view of this.#parts.shelf.all) {
      if (this.#isStopped) return;
      if (view.isPutAway || this.#opened.has(view.id) || this.#leftovers.has(view.id)) continue;
      try {
        await this.#openOne(view);
      } catch (error) {
        if (isOwnFault(error)) throw error;
        isAnyLeft = true;
      }
    }
    if (isAnyLeft) this.#openingAgain.later();
    else this.#openingAgain.done();
  }

  async #openOne(view: ViewDefinition): Promise<void> {
    const { server, shelf, groups } = this.#parts;
    const durableSeq = groups().find(({ id }) => id === view.group)?.durable ?? 0;
    try {
      this.#door = await server.ask("listen", null, viewPatienceMs);
      await server.ask("open", { view, folder: shelf.folderOf(view.id), durableSeq }, viewPatienceMs);
      this.#opened.add(view.id);
      this.#failures.delete(view.id);
    } catch (error) {
      this.#failures.set(view.id, inWords(error));
      throw error;
    }
  }

  /** As `ViewPoints` has it. */
  resolve(volume: string, point: string, isNearest = false): Promise<ResolvedPoint> {
    return this.points.resolve(volume, point, isNearest);
  }

  open(request: ViewRequest): Promise<ViewFacts> {
    return this.#inTurn(() => this.#open(request));
  }

  async #open(request: ViewRequest): Promise<ViewFacts> {
    const { volume, point: words, isWritable, isNearest, isLeased, name: wished, since: sinceWords = [] } = request;
    const { shelf, machine, pins } = this.#parts;
    if (shelf.all.length >= viewsMax) throw new RefuseError(`there are ${viewsMax} views already: close some of them`);
    if (wished !== undefined) this.#checkFree(wished);
    const { place, point, note } = await this.resolve(volume, words, isNearest);
    const found = findVolume(this.#parts.groups(), volume);
    const id = shelf.freeId(this.#leftovers) ?? machine.randomness.bytes(viewIdBytes).toString("hex");
    const name = wished ?? this.#freeName(`${found.volume.name}-${point.seq}`);
    const view: ViewDefinition = {
      ...{ id, name, group: place.group, groupName: found.group.name },
      ...{ volume: place.volume, volumeName: found.volume.name, seq: point.seq, timeMicros: point.timeMicros },
      isWritable,
      incarnation: machine.randomness.bytes(4).readUInt32LE(0),
      openedMs: Math.round(machine.clock.wallMs()),
      isPutAway: false,
      ...(isLeased === true ? { isLeased } : {}),
      ...(sinceWords.length === 0 ? {} : { since: await this.points.since(volume, sinceWords) }),
    };
    const heldSeq = Math.min(view.seq, ...(view.since ?? []).map(({ seq }) => seq));
    const reason = `view ${name} of ${found.volume.name}`;
    await pins.pin(view.group, { id: viewPin(id), seq: heldSeq, keeps: "history", reason });
    try {
      await shelf.put(view);
      await this.#openOne(view);
    } catch (error) {
      await this.#discardOrLater(view);
      throw error;
    }
    if (isLeased === true) this.#lease(view);
    return { ...(await this.#factsOf(view)), ...(note === undefined ? {} : { note }) };
  }

  /** Somebody still holds it. */
  renew(name: string): void {
    const view = this.#found(name);
    if (view.isLeased !== true) throw new RefuseError(`view '${name}' stays until it is closed: nobody has to hold it`);
    this.#lease(view);
  }

  #lease(view: ViewDefinition): void {
    this.#leases.renew(view.id, () => void this.#inTurn(() => this.#discardUnheld(view)));
  }

  /** It may have waited for its turn: who came before it may have put the view away, or said that he holds it. */
  async #discardUnheld(view: ViewDefinition): Promise<void> {
    const now = this.#parts.shelf.byName(view.name);
    const isUnheld = now?.isLeased === true && now.incarnation === view.incarnation && !this.#leases.has(view.id);
    if (!isUnheld) return;
    this.#parts.machine.log.warn("nobody holds a view any more: it is thrown away", { view: view.name });
    await this.#discardOrLater(view);
  }

  /** What came of a command on a view that is still there. Durable when it resolves. */
  note({ view: name, outcome, command, why, durationMs }: DrillNote, by: Drill["by"]): Promise<Drill> {
    const { group, groupName, volume, volumeName, seq, timeMicros } = this.#found(name);
    return this.#parts.drills.add({
      ...{ group, groupName, volume, volumeName, seq, timeMicros, outcome, command, by, durationMs },
      ...(why === undefined ? {} : { why }),
      startedMs: Math.round(this.#parts.machine.clock.wallMs()) - durationMs,
    });
  }

  #checkFree(name: string): void {
    checkName(name, "a view's name");
    if (this.#parts.shelf.byName(name) !== undefined) throw new RefuseError(`there is a view '${name}' already`);
  }

  #freeName(wish: string): string {
    for (let count = 1; ; count++) {
      const name = count === 1 ? wish : `${wish}-${count}`;
      if (this.#parts.shelf.byName(name) === undefined) return name;
    }
  }

  /** One that was put away has its export again, with all that was written to it; if not now, then as soon as that can be. */
  reopen(name: string): Promise<ViewFacts> {
    return this.#inTurn(async () => {
      const { copiedTo: _, ...found } = this.#found(name);
      const view = { ...found, isPutAway: false, reopenCount: (found.reopenCount ?? 0) + 1 };
      await this.#parts.shelf.put(view);
      this.#leftovers.delete(view.id);
      try {
        await this.#openOne(view);
      } catch (error) {
        this.#openingAgain.later();
        throw error;
      }
      return this.#factsOf(view);
    });
  }

  /** Where what was written is kept the point stays pinned. */
  close(name: string, how: ViewClosing): Promise<void> {
    return this.#inTurn(async () => {
      const view = this.#found(name);
      if (how === "kept") return this.#putAway(view);
      if (how === "unwritten") await this.#refuseWritten(view);
      if (how === "tried" && view.isLeased !== true) return;
      if (typeof how === "object" && !this.#isAsCopied(view, how)) throw refusalOfChanged(name);
      await this.#discard(view, how);
    });
  }

  #isAsCopied({ id, name }: ViewDefinition, how: ViewAsCopied): boolean {
    return "changes" in how ? this.#opened.has(id) : this.copiedTo(name, how.copiedTo) !== undefined;
  }

  async #refuseWritten(view: ViewDefinition): Promise<void> {
    const isOpen = view.isWritable && this.#opened.has(view.id);
    const figures = isOpen ? await this.#parts.server.ask("facts", null, viewPatienceMs) : [];
    const own = figures.find(({ id }) => id === view.id);
    const refusal = refusalToLose(view, own);
    if (refusal !== undefined) throw refusal;
  }

  /** So that it stands still while it is copied there. */
  putAwayFor(name: string, target: string) {
    return this.#inTurn(async () => {
      const found = this.#found(name);
      const wasOpen = !found.isPutAway;
      if (wasOpen) {
        const { connections } = await this.#factsOf(found);
        if (connections > 0) throw new RefuseError(`view '${name}' is in use, and would change: detach it first`);
        await this.#putAway(found);
      }
      const view = { ...this.#found(name), copiedTo: target };
      if (found.copiedTo !== target) await this.#parts.shelf.put(view);
      return { view, wasOpen };
    });
  }

  /** Undefined: it was not put away to be copied there, or was opened since. */
  copiedTo(name: string, target: string): ViewDefinition | undefined {
    const found = this.#found(name);
    return found.isPutAway && found.copiedTo === target ? found : undefined;
  }

  /** It is put away in any case; throws a `StopError` where nobody knows that all that was written to it is durable. */
  async #putAway(view: ViewDefinition): Promise<void> {
    // What was written to it in a process that has ended is made durable when it is opened again.
    const isSure = !view.isWritable || this.#opened.has(view.id);
    const unopened = isSure ? undefined : await this.#openOne(view).catch((error: Error) => error);
    if (isOwnFault(unopened)) throw unopened;
    const { lost = unopened && inWords(unopened) } = await this.#end(view, "kept");
    // Whoever puts it away wants to keep it.
    const { isLeased: _, ...kept } = view;
    this.#leases.drop(view.id);
    try {
      await this.#parts.shelf.put({ ...kept, isPutAway: true });
    } catch (error) {
      this.#openingAgain.later();
      throw error;
    }
    this.#leftovers.delete(view.id);
    if (lost === undefined) return;
    this.#failures.set(view.id, lost);
    const what = `view '${view.name}' is put away, but what was written to it need not be on the disk`;
    throw new StopError(`${what}: ${lost}`);
  }

  async #end({ id, name }: ViewDefinition, how: ViewClosing): Promise<ClosedView> {
    const { server } = this.#parts;
    const asCopied = typeof how === "object" && "changes" in how ? how : {};
    const wanted = how === "unwritten" ? { changes: 0 } : asCopied;
    const closed = server.isRunning ? await server.ask("close", { id, ...wanted }, viewPatienceMs) : {};
    if (closed.isWritten) throw how === "unwritten" ? refusalOfWritten(name) : refusalOfChanged(name);
    this.#opened.delete(id);
    this.#failures.delete(id);
    return closed;
  }

  async #discardOrLater(view: ViewDefinition): Promise<void> {
    try {
      await this.#discard(view);
    } catch (error) {
      raiseOwnFault(error, this.#parts.machine.clock);
      this.#leftovers.set(view.id, view);
      this.#tidyLater(error);
    }
  }

  /** It is gone then; where the store does not answer, its point is let go of later. */
  async #discard(view: ViewDefinition, how: ViewClosing = "discarded"): Promise<void> {
    await this.#end(view, how);
    await this.#parts.shelf.remove(view.id);
    // Not before: where it stays just now it still goes by itself.
    this.#leases.drop(view.id);
    this.#leftovers.delete(view.id);
    try {
      await this.#parts.pins.unpin(view.group, viewPin(view.id));
    } catch (error) {
      raiseOwnFault(error, this.#parts.machine.clock);
      this.#tidyLater(error);
    }
  }

  /** Lets go of what was left when something failed, or the program ended. */
  async #tidy(): Promise<void> {
    if (this.#isStopped) return;
    try {
      const { pins, shelf, groups } = this.#parts;
      const there = [...shelf.all.map(({ id }) => id), ...shelf.damaged.keys(), ...this.#leftovers.keys()];
      await dropStrayPins(pins, groups(), there);
      for (const view of this.#leftovers.values()) await this.#discard(view);
      this.#tidyingAgain.done();
    } catch (error) {
      raiseOwnFault(error, this.#parts.machine.clock);
      this.#tidyLater(error);
    }
  }

  #tidyLater(error: unknown): void {
    this.#parts.machine.log.warn("what a view has left could not be let go of: it is tried again", { error });
    this.#tidyingAgain.later();
  }

  /** What a person must see, who alone can do something about it. */
  get troubles(): readonly string[] {
    return this.#parts.shelf.troubles;
  }

  async all(): Promise<readonly ViewFacts[]> {
    await this.#look();
    return this.#parts.shelf.all.map((view) => this.#facts(view));
  }

  async #factsOf(view: ViewDefinition): Promise<ViewFacts> {
    await this.#look();
    return this.#facts(view);
  }

  /** What it told last is shown while it does not answer. */
  async #look(): Promise<void> {
    const { server } = this.#parts;
    if (!server.isRunning) return;
    const figures = await server.ask("facts", null, viewLookMs).catch(() => undefined);
    this.#figures = figures ?? this.#figures;
  }

  #facts(view: ViewDefinition): ViewFacts {
    const figures = this.#figures.find(({ id }) => id === view.id);
    const state = { isOpen: this.#opened.has(view.id), failure: this.#failures.get(view.id) };
    return viewFacts(view, this.#parts.uriOf(this.#door, view.name), state, figures);
  }

  #found(name: string): ViewDefinition {
    return itemNamed(name, this.#parts.shelf.all, "view");
  }

  /** Nothing is opened any more. */
  stop(): void {
    this.#isStopped = true;
    this.#leases.close();
    this.#openingAgain.stop();
    this.#tidyingAgain.stop();
  }
}
