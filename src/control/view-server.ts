/**
 * The process that serves views. It reads the store and the journals as they are, and writes nothing but what clients write to
 * views; so whatever becomes of it, nobody's protection depends on it.
 */
import { join } from "node:path";
import { isOwnFault } from "#src/core/assert.ts";
import { RefuseError } from "#src/core/errors.ts";
import { shutdownGraceMs } from "#src/core/limits.ts";
import type { Machine } from "#src/host/machine.ts";
import { raiseOwnFault } from "#src/host/own-fault.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import { inWords } from "#src/host/system-words.ts";
import type { MessageLine } from "#src/host/thread.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { NbdServer } from "#src/nbd/server.ts";
import { MetDamage } from "#src/store/met-damage.ts";
import type { GroupPoints } from "#src/synth/group-points.ts";
import { LostSync, lostSyncName } from "#src/synth/lost-sync.ts";
import type { PointAnswer } from "#src/synth/point-answer.ts";
import type { PointImage } from "#src/synth/point-image.ts";
import { SinceContext } from "#src/synth/since-context.ts";
import { ViewExport } from "#src/synth/view-export.ts";
import { ViewOverlay } from "#src/synth/view-overlay.ts";
import { findDensity } from "./density.ts";
import { listenInWords } from "./listening-address.ts";
import { PointReaders } from "./point-readers.ts";
import { sideMachine } from "./side-machine.ts";
import { sentError } from "./store-errors.ts";
import type { ViewDefinition, ViewFigures, ViewSince } from "./view.ts";
import type {
  ClosedView,
  DamageNews,
  OpenViewAsk,
  PointPlace,
  ViewActions,
  ViewAnswer,
  ViewAsk,
  ViewSettings,
  ViewWords,
} from "./view-words.ts";

interface OpenView {
  readonly view: ViewDefinition;
  readonly target: ViewExport;
  readonly image: PointImage;
}

interface OpenedPoint {
  readonly image: PointImage;
  readonly points: GroupPoints;
}

export function runThread(line: MessageLine, settings: ViewSettings): void {
  const machine = sideMachine(settings.config, "views");
  const met = new MetDamage(machine.clock, (metDamage) => line.send({ metDamage } satisfies DamageNews));
  const server = new ViewServer(machine, settings, met);
  line.receive((message) => void server.answer(message as ViewAsk).then((answer) => line.send(answer)));
}

export class ViewServer {
  readonly #machine: Machine;
  readonly #settings: ViewSettings;
  readonly #points: PointReaders;
  readonly #nbd: NbdServer;
  readonly #open = new Map<string, OpenView>();
  /** Of views that are open, or of which one was lost; it may be that this could not be noted. */
  readonly #lostSyncs = new Map<string, LostSync>();
  /** What opens and closes is done one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #address: Promise<SocketAddress> | undefined;
  readonly #actions: ViewActions = {
    listen: () => this.#listen(),
    resolve: (ask) => this.#resolve(ask),
    open: (ask) => this.#inTurn(() => this.#openView(ask)),
    close: (ask) => this.#inTurn(() => this.#closeView(ask)),
    facts: async () => {
      for (const { image, target } of this.#open.values()) for (const one of [image, target]) this.#lookAgain(one);
      return [...this.#open.values()].map((open) => this.#figures(open));
    },
    difference: async ({ group, volume, durableSeq, ...wanted }) =>
      (await this.#points.of(group, durableSeq)).difference(volume, wanted),
    history: async ({ group, volume, durableSeq, from, to }) => {
      const points = await this.#points.of(group, durableSeq);
      // From now on is from the newest record on.
      const fromMicros = await (from === "now" ? points.pointTimeOf(volume, from) : points.timeOf(volume, from));
      const span = { fromMicros, toMicros: await points.timeOf(volume, to) };
      return { timeline: await points.timeline(volume, span), span };
    },
    stillPoints: async ({ group, volume, durableSeq, seqs }) =>
      (await this.#points.of(group, durableSeq)).stillPoints(volume, seqs),
    density: async ({ group, volume, durableSeq, ...wish }) => {
      const points = await this.#points.of(group, durableSeq);
      return findDensity(points, volume, wish, Math.round(this.#machine.clock.wallMs() * 1000));
    },
    stop: () => this.#inTurn(() => this.#stop()),
  };

  constructor(machine: Machine, settings: ViewSettings, met: MetDamage) {
    this.#machine = machine;
    this.#settings = settings;
    this.#points = new PointReaders(machine, settings, met.note);
    const { sockets, clock, log } = machine;
    this.#nbd = new NbdServer({
      exports: { find: (name) => this.#exportOf(name), list: () => this.#exports() },
      sockets,
      clock,
      report: ({ kind, ...fields }) => {
        if (kind === "attached") log.info("a host has attached a view", fields);
        else if (kind === "dropped") log.warn("a host was dropped", fields);
      },
      ...(settings.tls === undefined ? {} : { tls: { policy: "require", credentials: settings.tls } }),
    });
  }

  async answer({ id, word, ask }: ViewAsk): Promise<ViewAnswer> {
    try {
      return { id, answer: await (this.#actions[word] as (ask: unknown) => Promise<unknown>)(ask) };
    } catch (error) {
      // A fault of this program is no answer: the process ends with it, and another one begins.
      if (isOwnFault(error)) throw error;
      return { id, error: sentError(error) };
    }
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  #exports(): ViewExport[] {
    return [...this.#open.values()].map(({ target }) => target);
  }

  #exportOf(name: string): ViewExport | undefined {
    return this.#exports().find((target) => target.name === name);
  }

  #listen(): Promise<SocketAddress> {
    const words = { forWhom: "views", settings: "views.listen" };
    this.#address ??= listenInWords(this.#settings.address, words, (where) => this.#nbd.listen(where)).catch(
      (error) => {
        this.#address = undefined;
        throw error;
      },
    );
    return this.#address;
  }

  async #resolve({ group, volume, words, durableSeq }: PointPlace & { readonly words: string }): Promise<PointAnswer> {
    return (await this.#points.of(group, durableSeq)).resolve(volume, words);
  }

  async #openView({ view, folder, durableSeq }: OpenViewAsk): Promise<ViewFigures> {
    const known = this.#open.get(view.id);
    if (known !== undefined) return this.#figures(known);
    const points = await this.#points.of(view.group, durableSeq);
    // What it was resolved to may have gone since then, before it was pinned, and a list of before would not tell.
    await points.refreshNow();
    // Nor what its contexts tell the difference from.
    for (const seq of [view.seq, ...(view.since ?? []).map((since) => since.seq)]) {
      const { point, ...none } = await points.resolve(view.volume, `seq:${seq}`);
      if (point === undefined) throw new RefuseError("why" in none ? none.why : `there is no point ${seq}`);
    }
    const image = await points.open(view.volume, view.seq);
    try {
      const open = { view, image, target: await this.#exported(view, { image, points }, folder) };
      this.#open.set(view.id, open);
      return this.#figures(open);
    } catch (error) {
      image.close();
      throw error;
    }
  }

  async #exported(view: ViewDefinition, { image, points }: OpenedPoint, folder: string): Promise<ViewExport> {
    const { clock, files } = this.#machine;
    const lostSync = this.#lostSyncs.get(ownJournals(view)) ?? LostSync.open(this.#machine, join(folder, lostSyncName));
    if (view.isWritable) this.#lostSyncs.set(ownJournals(view), lostSync);
    const openAnew = () => {
      const identity = { group: view.id, incarnation: view.incarnation };
      const { blockCount } = image;
      return ViewOverlay.open({ files, clock, folder: new JournalFolder(folder), identity, blockCount, lostSync });
    };
    return new ViewExport({
      name: view.name,
      description: `${view.volumeName} after record ${view.seq}`,
      clock,
      base: image,
      written: view.isWritable ? { overlay: await openAnew(), openAnew } : undefined,
      contexts: (view.since ?? []).map((since) => this.#sinceContext(view, since, points)),
    });
  }

  #sinceContext({ id, volume, seq }: ViewDefinition, since: ViewSince, points: GroupPoints): SinceContext {
    return new SinceContext({
      name: since.name,
      differences: (fromBlock, rangesMax) =>
        points.difference(volume, { firstSeq: since.seq, secondSeq: seq, fromBlock, rangesMax }),
      overlay: () => this.#open.get(id)?.target.overlay,
    });
  }

  /** Who asks next is told what has come of it. */
  #lookAgain(damaged: Pick<PointImage, "lookAgain">): void {
    damaged.lookAgain().catch((error: unknown) => raiseOwnFault(error, this.#machine.clock));
  }

  #figures({ view, target, image }: OpenView): ViewFigures {
    const failure = target.overlay?.failure;
    return {
      id: view.id,
      sizeBytes: target.sizeBytes,
      connections: this.#nbd.countOf(view.name),
      findings: [...image.findings, ...target.findings],
      changes: target.overlay?.changeCount ?? 0,
      writtenBlocks: target.overlay?.tableBlocks ?? 0,
      ...(failure === undefined ? {} : { writeFailure: failure.message }),
    };
  }

  async #closeView({ id, changes }: ViewWords["close"]["ask"]): Promise<ClosedView> {
    const open = this.#open.get(id);
    if (open === undefined) return {};
    // Nobody finds it any more, and who has it is hung up on.
    this.#open.delete(id);
    await this.#nbd.hangUp(open.view.name, shutdownGraceMs);
    // Not before: a write may have been replied to until then.
    if (changes !== undefined && this.#figures(open).changes !== changes) {
      this.#open.set(id, open);
      return { isWritten: true };
    }
    const failure = await open.target.close();
    if (failure !== undefined) return { lost: inWords(failure) };
    this.#lostSyncs.delete(ownJournals(open.view));
    return {};
  }

  async #stop(): Promise<null> {
    await this.#nbd.close(shutdownGraceMs);
    for (const { target } of this.#open.values()) await target.close();
    this.#open.clear();
    await this.#points.close();
    return null;
  }
}

/** Ids are used again. */
function ownJournals({ id, incarnation }: ViewDefinition): string {
  return `${id} ${incarnation}`;
}

/** Of a group's journals. */
export function groupFolder(groupsFolder: string, group: string): string {
  return join(groupsFolder, group);
}
