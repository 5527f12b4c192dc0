/**
 * A group of the local appliance: its order, its spool, its link to the remote, its mode, and the volumes that are
 * attached. What can be decided without doing anything is decided elsewhere (`ModeMachine`, `Acknowledgements`,
 * `FlushWaits`, `beginLife`); here it is brought together.
 *
 * Invariants: nobody is told of a record that is not in the spool (ahead); in sync nothing is acknowledged before the
 * remote has received it, and no flush is answered before spool, and in sync the remote, have it durably (promise).
 */
import { assert } from "#src/core/assert.ts";
import { ReconnectError, RetryError } from "#src/core/errors.ts";
import type { Log } from "#src/host/log.ts";
import { raiseOwnFault } from "#src/host/own-fault.ts";
import { whenDone } from "#src/host/when-done.ts";
import type { BatchShare } from "#src/records/batch-share.ts";
import type { GroupHello, GroupLink, GroupLinkOwner, GroupWelcome, Watermarks } from "#src/wire/group-link.ts";
import type { FlushDone } from "#src/wire/volume-link.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import type { AutoFacts, WantedMode } from "./auto-mode.ts";
import { beginEpoch } from "./group-epoch.ts";
import { type GroupFigures, groupFigures } from "./group-figures.ts";
import { GroupFlushes } from "./group-flushes.ts";
import { GroupLevels } from "./group-levels.ts";
import { GroupMarks } from "./group-marks.ts";
import { GroupMode } from "./group-mode.ts";
import { GroupOverflow } from "./group-overflow.ts";
import { GroupShipping } from "./group-shipping.ts";
import type { GroupStateFile } from "./group-state.ts";
import { GroupVolumes } from "./group-volumes.ts";
import { IdlePreparation } from "./idle-preparation.ts";
import { LinkMeter } from "./link-meter.ts";
import type { LocalGroupParts } from "./local-group-parts.ts";
import { MeasuredLink } from "./measured-link.ts";
import type { ModeFacts, ModePhase, ModeSwitch } from "./mode-machine.ts";
import { type Appended, Order } from "./order.ts";
import { Pressure, type PressureFacts } from "./pressure.ts";
import { RemoteKnowledge } from "./remote-knowledge.ts";
import type { Spool } from "./spool.ts";
import { remoteHasSeq } from "./spool-keeping.ts";
import { recalledFrom } from "./spool-recall.ts";
import { TouchedLinks } from "./touched-links.ts";
import { TraceLog } from "./trace-log.ts";
import type { LinkedGroup, LocalVolumeLink } from "./volume-link.ts";

const stopping = new ReconnectError("the local appliance is being stopped");

export class LocalGroup implements LinkedGroup, GroupLinkOwner {
  readonly #parts: LocalGroupParts;
  readonly #log: Log;
  readonly #memory: BatchShare;
  readonly order: Order;
  readonly trace = new TraceLog();
  readonly #link: GroupLink;
  readonly #shipper: GroupShipping;
  readonly #mode: GroupMode;
  readonly acknowledgements = new Acknowledgements();
  readonly #flushes: GroupFlushes;
  readonly marks: GroupMarks;
  readonly levels: GroupLevels;
  readonly volumes: GroupVolumes;
  readonly overflow: GroupOverflow;
  readonly #touched = new TouchedLinks();
  readonly #remote = new RemoteKnowledge();
  readonly #meter: LinkMeter;
  readonly #idle: IdlePreparation;
  readonly #pressure: Pressure;
  #suspendedSinceSeq: number | undefined;
  #failure: Error | undefined;
  #isOver = false;

  constructor(parts: LocalGroupParts) {
    const { machine, spool, state, policy, facts } = parts;
    this.#parts = parts;
    this.#memory = parts.pool.share();
    this.#log = machine.log.with({ group: state.state.name });
    this.#meter = new LinkMeter(machine.clock.monotonicMs());
    this.volumes = new GroupVolumes(state, facts, spool.lastTimeMicros, {
      noted: () => this.release(),
      failed: (error) => this.fail(error),
    });
    this.order = new Order({
      ...{ spool, state, memory: this.#memory, clock: machine.clock, hook: parts.hook, seqReserve: policy.seqReserve },
      ...{ lastSeq: spool.lastSeq, lastTimeMicros: spool.lastTimeMicros },
      // An epoch that is to begin has no record yet, and an empty spool none of those before either.
      epoch: spool.lastEpoch || (state.state.epochSeq === null ? state.state.epoch : state.state.epoch - 1),
      appended: (batch) => this.#appended(batch),
      dropped: () => void this.#touched.take(),
      failed: (error) => this.fail(error),
      memoryShort: () => this.#shipper.letGo(),
      stuck: () => this.#pressure.watch(),
      roomAgain: () => this.roomAgain(),
    });
    this.#idle = new IdlePreparation(this.order, spool, machine.clock);
    this.#mode = new GroupMode({
      ...{ policy: policy.mode, autoPolicy: policy.auto, mode: facts.mode, wanted: state.state.wantedMode },
      ...{ history: facts.modes, order: this.order, clock: machine.clock, log: this.#log },
      facts: () => this.#modeFacts(),
      autoFacts: () => this.#autoFacts(),
      switched: ({ to }, seq) => {
        if (to === "sync" && this.#link.isUp) this.#link.askDurable(seq);
      },
      note: (modeSwitch, seq) => this.#noteSwitch(modeSwitch, seq),
      noted: () => this.release(),
      failed: (error) => this.fail(error),
      phaseChanged: (phase) => this.#phaseChanged(phase),
    });
    this.#pressure = new Pressure({
      ...{ spool, policy, clock: machine.clock, facts: () => this.#pressureFacts() },
      looked: () => this.#looked(),
      eased: () => this.roomAgain(),
    });
    this.#link = new MeasuredLink(parts.link, this.#meter, machine.clock);
    this.overflow = new GroupOverflow({
      ...{ spool, policy, order: this.order, volumes: this.volumes, clock: machine.clock, log: this.#log },
      remote: () => ({ isLinkUp: this.#link.isUp, durableSeq: this.#remote.marks.durable }),
    });
    this.#flushes = new GroupFlushes({
      ...{ order: this.order, spool, link: this.#link, clock: machine.clock },
      waitsForRemote: () => this.#mode.waitsForRemote,
      failed: (error) => this.fail(error),
    });
    const own = { order: this.order, clock: machine.clock, failure: () => this.#failure };
    const sent = { found: facts.marks, remoteSeq: () => this.#remote.marks.durable };
    this.marks = new GroupMarks({ ...own, ...sent, flushes: this.#flushes, volumes: this.volumes });
    this.levels = new GroupLevels({ ...own, state });
    this.#shipper = new GroupShipping({
      ...{ spool, link: this.#link, clock: machine.clock, modes: facts.modes, aggregate: policy.aggregate },
      isHurried: () => this.#mode.phase === "draining" || this.volumes.links.size === 0 || this.#pressure.isHigh,
      mayKeep: () => this.#memory.isAmple,
      ...{ crowd: parts.crowd, log: this.#log },
      failed: (error) => this.fail(error),
    });
  }

  get state(): GroupStateFile {
    return this.#parts.state;
  }

  get spool(): Spool {
    return this.#parts.spool;
  }

  get pressure(): number {
    return this.#pressure.value;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Brings the order to where it may go on. Nothing is added before this has resolved. */
  async start(): Promise<void> {
    if (await beginEpoch(this.order, this.#parts.spool, this.#parts.state, this.#log)) this.#mode.restate();
    // From now on a link that does not come up counts as lost.
    this.#mode.step();
    this.levels.begin();
    this.#pressure.watch();
  }

  #spoolSynced(): Promise<void> {
    return whenDone((done) => this.#parts.spool.sync(done));
  }

  touched(link: LocalVolumeLink): void {
    this.#touched.add(link);
  }

  detached(link: LocalVolumeLink): void {
    this.volumes.detached(link);
    this.#shipper.hurry();
  }

  reportDurable(link: LocalVolumeLink, ordinal: number): void {
    link.ordinals.reportDurable(ordinal);
    // An interceptor says this only after it has noted, durably, what it was told.
    this.volumes.tookNote(link.volume);
    this.release();
    this.#pressure.evaluate();
  }

  flush(volume: number, done: FlushDone): void {
    this.#flushes.flush(volume, done);
  }

  #appended(batch: Appended): void {
    const touched = this.#touched.take();
    this.#meter.added(batch.spanBytes);
    const needsRemote = this.#mode.waitsForRemote;
    this.#shipper.appended(batch, needsRemote);
    const waits = needsRemote || !this.acknowledgements.isEmpty;
    const volumes = touched.map((link) => ({ to: link, ordinal: link.lastOrdinal }));
    for (const { to, ordinal } of volumes) to.placed(ordinal, batch.lastSeq, this.order.lastTimeMicros);
    this.#pressure.added(batch.firstSeq);
    if (waits) this.acknowledgements.add(batch.lastSeq, needsRemote, volumes);
    else for (const { to, ordinal } of volumes) to.acknowledged(ordinal);
  }

  roomAgain(): void {
    this.volumes.roomAgain();
  }

  setMode(mode: WantedMode): void {
    this.#parts.state.update({ wantedMode: mode }).catch((error: Error) => this.fail(error));
    this.#mode.ask(mode);
  }

  /** Not before the record itself: a mode that no record speaks of would be one that nobody else knows. */
  async #noteSwitch(modeSwitch: ModeSwitch, seq: number): Promise<void> {
    await this.#spoolSynced();
    await this.#parts.state.noteSwitch(modeSwitch, seq, this.#remote.marks.durable);
  }

  #phaseChanged(phase: ModePhase): void {
    if (phase === "degraded") this.#suspendedSinceSeq = this.#remote.marks.received + 1;
    else if (phase === "sync" || phase === "loose") this.#suspendedSinceSeq = undefined;
    this.#releaseSyncWaits();
    this.#shipper.hurry();
    this.#pressure.evaluate();
  }

  /** Who waited for the remote under sync waits no more once sync was left and the remote is out of reach. */
  #releaseSyncWaits(): void {
    if (this.#mode.waitsForRemote || this.#link.isUp) return;
    this.acknowledgements.releaseAll();
    this.#flushes.releaseRemote();
  }

  #modeFacts(): ModeFacts {
    return {
      nowMs: this.#parts.machine.clock.monotonicMs(),
      isLinkUp: this.#link.isUp,
      backlogBytes: this.#backlogBytes,
      durableSeq: this.#remote.marks.durable,
    };
  }

  #autoFacts(): AutoFacts {
    const nowMs = this.#parts.machine.clock.monotonicMs();
    this.#pressure.evaluate();
    const [lagSeconds, backlogBytes] = [this.#pressure.lag.seconds, this.#backlogBytes];
    return { nowMs, isLinkUp: this.#link.isUp, lagSeconds, backlogBytes, ...this.#meter.take(nowMs) };
  }

  get #backlogBytes(): number {
    return this.#parts.spool.bytesAfter(this.#remote.marks.received);
  }

  // What the link says

  hello(): GroupHello {
    return { ...this.#parts.hello(), epoch: this.order.epoch, lastSeq: this.order.lastSeq };
  }

  up(welcome: GroupWelcome): void {
    this.#remote.welcomed(welcome);
    this.#log.info("the remote is there", { received: welcome.received, durable: welcome.durable });
    this.acknowledgements.received(welcome.received);
    this.#shipper.begin(welcome.received);
    this.#flushes.remoteBack(welcome.durable);
    this.volumes.remoteDurable(welcome.durable);
    this.#mode.step();
    this.#pressure.evaluate();
  }

  watermarks(marks: Watermarks): void {
    const before = this.#remote.marks;
    const nowMs = this.#parts.machine.clock.monotonicMs();
    this.#remote.said(marks);
    this.trace.marks(marks, nowMs);
    this.#meter.received(marks.received, nowMs);
    if (marks.received !== before.received) {
      this.#shipper.received(marks.received);
      this.acknowledgements.received(marks.received);
    }
    if (marks.durable !== before.durable) {
      this.#flushes.remoteDurable(marks.durable);
      this.volumes.remoteDurable(marks.durable);
    }
    if (marks.durable !== before.durable || marks.stored !== before.stored) this.release();
    if (this.#mode.phase !== "sync") this.#mode.step();
    if (marks.durable !== before.durable || this.#pressure.value >= 1) this.#pressure.evaluate();
  }

  mayShip(): void {
    this.#shipper.mayShip();
  }

  down(why: string): void {
    this.#remote.gone(why);
    this.#meter.linkLost();
    this.#shipper.end();
    this.#log.warn("the remote is gone", { why });
    this.#mode.step();
    this.#releaseSyncWaits();
  }

  refused(error: Error): void {
    this.#remote.refused(error.message);
    this.#log.error("the remote refuses this group", { error });
  }

  readonly recall: GroupLinkOwner["recall"] = (wanted) => recalledFrom(this.#parts, wanted, () => this.#isOver);

  /** Time has passed: a full disk may have room again, and idle moments are for writing ahead. */
  #looked(): boolean {
    this.order.tryAgain();
    this.#shipper.hurry();
    this.#idle.look();
    return this.overflow.look() || this.order.isStuck;
  }

  // Room

  /** Lets go of what nobody needs any more. */
  release(): void {
    const { spool, policy } = this.#parts;
    const atRemoteSeq = remoteHasSeq(this.#remote.marks, spool, policy);
    const seq = Math.min(atRemoteSeq, this.volumes.releasableSeq(this.order.lastSeq), this.#mode.unnotedSeq - 1);
    if (this.#isOver || seq <= 0 || seq < spool.firstSeq) return;
    spool.release(seq);
    // All that it still has may be asked for again: by a remote that was made anew from its store.
    this.#parts.facts.modes.release(spool.firstSeq - 1);
    this.order.tryAgain();
  }

  #pressureFacts(): PressureFacts {
    const { isUp: isLinkUp } = this.#link;
    const backlogBytesMax = isLinkUp ? this.#mode.backlogBytesMax : Number.POSITIVE_INFINITY;
    const backlogBytes = Number.isFinite(backlogBytesMax) ? this.#backlogBytes : 0;
    const seqs = { lastSeq: this.order.lastSeq, durableSeq: this.#remote.marks.durable };
    return { ...seqs, isLinkUp, isAsync: this.#mode.isAsync, backlogBytes, backlogBytesMax };
  }

  figures(): GroupFigures {
    this.#pressure.evaluate();
    const { state, spool, policy } = this.#parts;
    return groupFigures({
      ...{ state: state.state, hasVolume: (number: number) => this.volumes.has(number) },
      ...{ spool, policy },
      order: this.order,
      mode: this.#mode,
      remote: this.#remote,
      lag: this.#pressure.lag,
      pressure: this.#pressure.value,
      isLinkUp: this.#link.isUp,
      shipped: this.#shipper.figures,
      failure: this.#failure,
      overflow: this.overflow.refusal,
      suspendedSinceSeq: this.#suspendedSinceSeq,
    });
  }

  /** The group cannot protect anything any more: what it has, it keeps; nothing new is taken. */
  fail(error: Error): void {
    raiseOwnFault(error, this.#parts.machine.clock);
    if (this.#failure !== undefined || this.#isOver) return;
    assert(!(error instanceof RetryError), "what may work later is no failure");
    this.#failure = error;
    this.#log.error("the group has failed and takes no more writes", { error });
    void this.#parts.state.noteLoss();
    this.order.end();
    this.#flushes.end(error);
    this.acknowledgements.end(error);
    this.volumes.loseAll(error);
  }

  /** Ends in good order: after this nothing is in doubt at the next start. */
  async stop(): Promise<void> {
    this.order.commit();
    // Nothing may be appended behind what is synced now.
    this.end();
    try {
      if (this.#failure === undefined) await this.#spoolSynced();
    } catch (error) {
      this.#parts.state.end();
      await this.#parts.state.noteLoss();
      throw error;
    } finally {
      // Nobody is told of this group any more, however it ended.
      await this.#link.stop();
      this.#shipper.end();
      this.#parts.state.end();
    }
    if (this.#failure === undefined) await this.#parts.state.noteStop(this.order.lastSeq);
    this.#parts.spool.close();
  }

  /** Nothing is begun any more. */
  end(): void {
    this.#isOver = true;
    this.#idle.end();
    this.#pressure.end();
    this.#mode.end();
    this.levels.end();
    this.order.end();
    this.#flushes.end(stopping);
    this.acknowledgements.end(stopping);
    this.volumes.loseAll(stopping);
    this.#memory.leave();
  }
}
