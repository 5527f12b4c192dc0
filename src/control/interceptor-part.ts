/** The NBD server with its volumes: each is an export, with a source behind it and the local appliance beside it. */
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { shutdownGraceMs, volumeRetryMsMax, volumeRetryMsMin } from "#src/core/limits.ts";
import { newVolumePatienceMs, removalPatienceMs } from "#src/core/volume-limits.ts";
import { isLackOfRoom } from "#src/host/lack-of-room.ts";
import type { Machine } from "#src/host/machine.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import { mayComeBack, mayTryAgain } from "#src/interceptor/link-loss.ts";
import type { TracedRecord } from "#src/interceptor/write-trace.ts";
import type { NbdExport } from "#src/nbd/export.ts";
import { NbdServer } from "#src/nbd/server.ts";
import type { ServerEvent } from "#src/nbd/server-context.ts";
import { isNbdUri } from "#src/nbd/uri.ts";
import type { Config } from "./config-schema.ts";
import type { VolumeFarewell } from "./farewell.ts";
import { ownExportsSocket } from "./folder-layout.ts";
import { listenInWords } from "./listening-address.ts";
import type { VolumeMeasures } from "./metrics/measures.ts";
import { refuseOwn } from "./own-places.ts";
import { ResyncOrders } from "./resync-orders.ts";
import { noFigures, type VolumeDefinition, type VolumeFacts, type VolumeFigures, type VolumeState } from "./role.ts";
import type { AddedVolume, Measured, SideSettings, SourceHold } from "./side.ts";
import { type FittedVolume, lookAtExport, lookAtPath, lookBeside } from "./source-fit.ts";
import { fitOf, resizeRefusal, type SourceLook } from "./volume-resize.ts";
import { createSource, measureSource, removeSource } from "./volume-source.ts";

export interface OpenVolume extends FittedVolume {
  readonly target: NbdExport;
  figures(): VolumeFigures & Pick<VolumeFacts, "baseMissing">;
  measures(): Omit<VolumeMeasures, "name">;
  /** Begins with the first call. */
  trace(): readonly TracedRecord[];
  endTrace(): void;
  /** Opens the source anew after a person has looked. */
  unfence(): Promise<void>;
  /** Copies all of the source into the journal again. */
  resync(): Promise<void>;
  /** Nobody is attached any more. The source gets what it lacks, is synced and let go of. */
  close(): Promise<VolumeFarewell>;
}

export interface OpensVolumes {
  /** `takesSource`: as it is, although it may be older than what was journaled. */
  open(definition: VolumeDefinition, takesSource: boolean): Promise<OpenVolume>;
}

/** The states of a volume that works with its source. */
const hasSource: ReadonlySet<VolumeState> = new Set(["open", "redoing", "stalled", "tracking", "full"]);

/** A volume that is to be open, from when that was asked for. */
interface Kept {
  definition: VolumeDefinition;
  /** Settled when it is open, or will not be. */
  opening: Promise<void>;
  volume?: OpenVolume;
  /** Why the last attempt to open it failed; there will be another one. */
  why?: string;
  /** Ends the wait for the next attempt. */
  wake?: () => void;
  /** For who asks how it is. */
  isResyncOrdered?: boolean;
}

export class InterceptorPart {
  readonly #config: Config;
  readonly #machine: Machine;
  readonly #opener: OpensVolumes;
  readonly #server: NbdServer;
  /** Where hosts need certificates, this program itself comes by a door that nobody else has. Undefined: it comes as they do. */
  readonly #ownServer: NbdServer | undefined;
  readonly #kept = new Map<string, Kept>();
  readonly #resyncs: ResyncOrders;
  readonly addresses: SocketAddress[] = [];
  ownAddress: SocketAddress | undefined;
  #isStopping = false;

  private constructor(machine: Machine, opener: OpensVolumes, { config, secrets }: SideSettings) {
    this.#config = config;
    this.#machine = machine;
    this.#opener = opener;
    this.#resyncs = new ResyncOrders(machine.files, config);
    const credentials = secrets.nbdTls;
    const common = {
      exports: { find: (name: string) => this.#kept.get(name)?.volume?.target, list: () => this.#targets() },
      sockets: machine.sockets,
      clock: machine.clock,
      report: (event: ServerEvent) => this.#report(event),
    };
    const tls = credentials === undefined ? {} : { tls: { policy: "require", credentials } as const };
    this.#server = new NbdServer({ ...common, ...tls });
    this.#ownServer = credentials === undefined ? undefined : new NbdServer(common);
  }

  static async start(machine: Machine, opener: OpensVolumes, settings: SideSettings): Promise<InterceptorPart> {
    const part = new InterceptorPart(machine, opener, settings);
    for (const address of addressesOf(settings.config)) part.addresses.push(await part.#listen(address));
    await part.#listenForOwn();
    return part;
  }

  async #listen(address: SocketAddress): Promise<SocketAddress> {
    return listenInWords(address, { forWhom: "hosts", settings: "nbd.port or nbd.socket" }, (where) =>
      this.#server.listen(where),
    );
  }

  async #listenForOwn(): Promise<void> {
    const server = this.#ownServer;
    if (server === undefined) return;
    const address: SocketAddress = { kind: "unix", path: ownExportsSocket(this.#config) };
    const words = { forWhom: "restores", settings: "another data folder" };
    this.ownAddress = await listenInWords(address, words, (where) => server.listen(where));
  }

  #targets(): NbdExport[] {
    return [...this.#kept.values()].flatMap(({ volume }) => (volume === undefined ? [] : [volume.target]));
  }

  #report(event: ServerEvent): void {
    const { kind, ...fields } = event;
    if (kind === "attached") this.#machine.log.info("a host has attached a volume", fields);
    else if (kind === "dropped") this.#machine.log.warn("a host was dropped", fields);
    else this.#machine.log.debug("a host left without a volume", fields);
  }

  async measure(source: string, createBytes: number | undefined): Promise<Measured> {
    const own = this.ownAddress === undefined ? [] : [this.ownAddress];
    refuseOwn(this.#config, [...this.addresses, ...own], source);
    if (createBytes === undefined) return measureSource(this.#machine, source);
    await createSource(this.#machine, source, createBytes);
    try {
      return await measureSource(this.#machine, source);
    } catch (error) {
      await this.unmake(source);
      throw error;
    }
  }

  async unmake(source: string): Promise<void> {
    await removeSource(this.#machine, source);
  }

  /** Resolves when the export is open, after as many attempts as it takes. `isNew`: what is refused is not tried again. */
  async addVolume(definition: VolumeDefinition, isNew: boolean): Promise<AddedVolume> {
    const { name } = definition;
    if (this.#isStopping) throw new RefuseError("the program is about to end");
    if (this.#kept.has(name)) throw new RefuseError(`volume '${name}' is open already`);
    const kept: Kept = { definition, opening: Promise.resolve() };
    this.#kept.set(name, kept);
    const opening = this.#open(kept, isNew);
    kept.opening = opening.then(
      () => {},
      () => {},
    );
    try {
      const { volume, refusal } = await opening;
      return { volume, ...(refusal === undefined ? {} : { refusal }) };
    } catch (error) {
      if (this.#isWanted(kept)) this.#kept.delete(name);
      throw error;
    }
  }

  /** An appliance or a server that is not there may come, and one that refuses may not have noticed that we were gone. */
  async #open(kept: Kept, isNew: boolean): Promise<OpenVolume> {
    const { name } = kept.definition;
    const { clock } = this.#machine;
    const beganMs = clock.monotonicMs();
    for (let delayMs = volumeRetryMsMin; ; delayMs = Math.min(2 * delayMs, volumeRetryMsMax)) {
      try {
        await this.#attempt(kept);
      } catch (caught) {
        const error = isLackOfRoom(caught) ? forWantOfRoom(name, caught as Error, isNew) : caught;
        if (!(isNew ? mayComeBack(error) : mayTryAgain(error))) throw error;
        const leftMs = beganMs + newVolumePatienceMs - clock.monotonicMs();
        if (isNew && leftMs <= delayMs)
          throw new RetryError(`volume '${name}' is not added: ${(error as Error).message}`);
        this.#noteAttempt(kept, error as Error);
        await this.#wait(kept, delayMs);
      }
      if (!this.#isWanted(kept)) throw new RefuseError(`volume '${name}' is not wanted any more`);
      if (kept.volume !== undefined) return kept.volume;
    }
  }

  /** No host sees the volume before the order for which its source is taken as it is has gone. */
  async #attempt(kept: Kept): Promise<void> {
    const { definition } = kept;
    const takesSource = this.#resyncs.begin(definition.id);
    const volume = await this.#opener.open(definition, takesSource);
    let isOrderedSince: boolean;
    try {
      if (takesSource && this.#isWanted(kept)) await this.#resyncs.carriedOut(definition.id);
      isOrderedSince = this.#resyncs.isGiven(definition.id);
    } catch (error) {
      await volume.close();
      throw error;
    }
    // One that is ordered in the meantime is for the next attempt.
    if (isOrderedSince || !this.#isWanted(kept)) return void (await volume.close());
    kept.volume = volume;
    kept.definition = volume.volume;
    kept.isResyncOrdered = false;
  }

  #noteAttempt(kept: Kept, error: Error): void {
    if (kept.why === error.message) return;
    kept.why = error.message;
    this.#machine.log.warn("a volume cannot be opened yet", { volume: kept.definition.name, error });
  }

  async #wait(kept: Kept, delayMs: number): Promise<void> {
    if (!this.#isWanted(kept)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    kept.wake = resolve;
    const timer = this.#machine.clock.timer(delayMs, resolve);
    await promise;
    timer.cancel();
  }

  #isWanted(kept: Kept): boolean {
    return !this.#isStopping && this.#kept.get(kept.definition.name) === kept;
  }

  /**
   * One that is not there has nothing that would have to end. `isForced`: although hosts are attached. Answers what its source is held by
   * if it was not let go of: one that stands still would keep its volume for ever, and its group waiting.
   */
  async removeVolume(name: string, isForced: boolean): Promise<SourceHold | null> {
    const kept = this.#kept.get(name);
    if (kept === undefined) return null;
    const count = this.#server.countOf(name);
    if (count > 0 && !isForced) throw new RefuseError(inUse(name, count));
    const { promise: late, resolve } = Promise.withResolvers<SourceHold>();
    // Who is being opened may wait for its local appliance as well as for its source.
    const whenLate = (): void => resolve(kept.volume === undefined ? "opening" : "source");
    const timer = this.#machine.clock.timer(removalPatienceMs, whenLate);
    const ended = this.#end(kept).then(() => null);
    const hold = await Promise.race([ended, late]).finally(() => timer.cancel());
    if (hold !== null) this.#noteHeld(name, hold, ended);
    return hold;
  }

  #noteHeld(volume: string, hold: SourceHold, ended: Promise<unknown>): void {
    const { log } = this.#machine;
    if (hold === "source")
      log.warn("a volume is removed whose source does not answer: it is held until it does", { volume });
    else
      log.warn("a volume is removed that is still being opened: its source is held until that has ended", { volume });
    ended.then(
      () => log.info("the source of a volume that was removed is let go of", { volume }),
      (error) =>
        log.warn("the source of a volume that was removed could not be let go of in good order", { volume, error }),
    );
  }

  async #end(kept: Kept): Promise<void> {
    const { name } = kept.definition;
    this.#kept.delete(name);
    kept.wake?.();
    await kept.opening;
    await Promise.all([this.#server, this.#ownServer].map((server) => server?.hangUp(name, shutdownGraceMs)));
    await kept.volume?.close();
  }

  /**
   * Ends one that is to be resized, or throws why it cannot be now and leaves it as it is. Answers why it cannot be after all, where that
   * was to be seen only when it had ended.
   */
  async releaseVolume({ name, source, sizeBytes }: VolumeDefinition, wantedBytes: number): Promise<string | null> {
    const look = await this.#lookAt(name, source);
    const kept = this.#kept.get(name);
    const { state, copy } = this.#figuresOf(kept);
    const connections = this.#server.countOf(name);
    const isCopying = copy !== undefined;
    const refusal = resizeRefusal({ name, sizeBytes, wantedBytes, state, isCopying, connections, source, look });
    if (refusal !== undefined) throw new RefuseError(refusal);
    if (kept !== undefined) await this.#end(kept);
    if (look !== undefined) return null;
    try {
      const free = await lookAtExport(this.#machine, source);
      return fitOf(free, { source, previousBytes: sizeBytes, wantedBytes }).why ?? null;
    } catch (error) {
      return `${source} cannot be looked at, and the volume keeps its size: ${(error as Error).message}`;
    }
  }

  async #lookAt(name: string, source: string): Promise<SourceLook | undefined> {
    if (!isNbdUri(source)) return lookAtPath(this.#machine, source);
    const { state } = this.#figuresOf(this.#kept.get(name));
    return hasSource.has(state) ? lookBeside(this.#machine, source) : lookAtExport(this.#machine, source);
  }

  #figuresOf(kept: Kept | undefined): VolumeFigures {
    return kept === undefined ? { ...noFigures, state: "failed" } : (kept.volume?.figures() ?? openingFigures(kept));
  }

  volumes(): readonly VolumeFacts[] {
    return [...this.#kept.values()].map((kept) => {
      const { id, previousBytes, ...known } = kept.definition;
      return { ...known, ...this.#figuresOf(kept), connections: this.#server.countOf(known.name) };
    });
  }

  /** Of those that are open. */
  measures(): readonly VolumeMeasures[] {
    return [...this.#kept.values()].flatMap(({ definition: { name }, volume }) =>
      volume === undefined ? [] : [{ name, ...volume.measures() }],
    );
  }

  trace(name: string): readonly TracedRecord[] {
    const volume = this.#kept.get(name)?.volume;
    if (volume === undefined) throw new RefuseError(`volume '${name}' is not open`);
    return volume.trace();
  }

  endTrace(name: string): void {
    this.#kept.get(name)?.volume?.endTrace();
  }

  async unfence(name: string): Promise<void> {
    const volume = this.#kept.get(name)?.volume;
    if (volume === undefined) throw new RefuseError(`volume '${name}' is not open`);
    await volume.unfence();
  }

  async resync(name: string): Promise<void> {
    const kept = this.#kept.get(name);
    if (kept === undefined) throw new RefuseError(`volume '${name}' is not open`);
    if (kept.volume !== undefined) return kept.volume.resync();
    await this.#resyncs.give(kept.definition);
    this.#machine.log.info("a resync is ordered for when the volume opens", { volume: name });
    // Where it is open by now, an opening that began with the order has carried it out.
    if (kept.volume === undefined) kept.isResyncOrdered = true;
    kept.wake?.();
  }

  groupOf(name: string): string | undefined {
    return this.#kept.get(name)?.definition.group;
  }

  async stop(): Promise<readonly VolumeFarewell[]> {
    this.#isStopping = true;
    const kept = [...this.#kept.values()];
    for (const one of kept) one.wake?.();
    // It may wait for what only ends with the program. Nobody was promised anything of it: the next start opens it.
    const opened = this.#within(shutdownGraceMs, Promise.all(kept.map(({ opening }) => opening)), []);
    const servers = [this.#server, this.#ownServer].map((server) => server?.close(shutdownGraceMs));
    await Promise.all([...servers, opened]);
    return Promise.all(kept.flatMap(({ volume }) => (volume === undefined ? [] : [this.#close(volume)])));
  }

  /** One that is being opened anew may wait likewise. */
  #close(volume: OpenVolume): Promise<VolumeFarewell> {
    const { name } = volume.volume;
    const { state, writes } = volume.figures();
    const closed = volume.close();
    return state === "redoing" ? this.#within(2 * shutdownGraceMs, closed, { name, writes, isDurable: false }) : closed;
  }

  /** What does not end by then goes on by itself. */
  async #within<Result>(patienceMs: number, work: Promise<Result>, otherwise: Result): Promise<Result> {
    const { promise: late, resolve } = Promise.withResolvers<Result>();
    const timer = this.#machine.clock.timer(patienceMs, () => resolve(otherwise));
    return Promise.race([work, late]).finally(() => timer.cancel());
  }
}

function inUse(name: string, count: number): string {
  const connections = count === 1 ? "a host's connection" : `${count} connections of hosts`;
  return `volume '${name}' is in use, by ${connections}: detach it there, or use --force, which cuts them off`;
}

function forWantOfRoom(name: string, cause: Error, isNew: boolean): RetryError {
  const onItsOwn = isNew ? "" : "; it goes on by itself when there is some";
  return new RetryError(`volume '${name}' cannot be opened for want of room: ${cause.message}${onItsOwn}`, { cause });
}

function openingFigures({ why, isResyncOrdered = false }: Kept): VolumeFigures {
  const ordered = isResyncOrdered ? ["a resync is ordered: its source is taken as it is when it opens"] : [];
  const whys = [...(why === undefined ? [] : [why]), ...ordered];
  return { ...noFigures, state: "opening", ...(whys.length === 0 ? {} : { why: whys.join("; ") }) };
}

function addressesOf({ nbd }: Config): SocketAddress[] {
  const addresses: SocketAddress[] = [];
  if (nbd.socket !== undefined) addresses.push({ kind: "unix", path: nbd.socket });
  if (nbd.port !== undefined) addresses.push({ kind: "tcp", host: nbd.host, port: nbd.port });
  return addresses;
}
