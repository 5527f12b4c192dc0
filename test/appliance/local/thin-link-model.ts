/**
 * Hosts that write as fast as they may, a link of some bandwidth, and a remote that syncs now and then, in steps of a
 * millisecond: what the pace of writers makes of them. The throttle is the interceptor's own; frames leave one behind the
 * other, of the size that the shipper makes them.
 */
import type { LagAllowance } from "#src/appliance/local/lag-allowance.ts";
import { unseenShareMax } from "#src/core/lag-limits.ts";
import { shipperFrameBytes } from "#src/core/limits.ts";
import { Throttle } from "#src/interceptor/throttle.ts";

/** Bytes per second. */
export const megabit = 125_000;

export interface ModelHost {
  readonly writeBytes: number;
  /** Writes that it has under way at a time. */
  readonly depth: number;
  /** What it writes as long as nobody slows it. */
  readonly bytesPerSecond: number;
  readonly isAtWork?: (nowMs: number) => boolean;
}

export interface ModelLink {
  /** 0: it stands still. */
  readonly bytesPerSecond: (nowMs: number) => number;
  readonly delayMs?: number;
  /** The remote waits so long for more before it syncs, and a sync takes so long. */
  readonly patienceMs?: number;
  readonly syncMs?: number;
}

export interface ModelWrite {
  readonly volume: number;
  readonly endedMs: number;
  readonly waitedMs: number;
}

export interface ModelSample {
  readonly atMs: number;
  readonly lagMs: number;
  readonly pressure: number;
}

class Volume {
  readonly throttle = new Throttle();
  /** When those under way were asked for. */
  readonly waiting: number[] = [];
  readonly host: ModelHost;
  #wantedBytes = 0;

  constructor(host: ModelHost) {
    this.host = host;
  }

  /** A millisecond has passed. Who was held up does not make up for it. */
  want(nowMs: number): void {
    const { depth, writeBytes, bytesPerSecond, isAtWork } = this.host;
    if (isAtWork?.(nowMs) === false) this.#wantedBytes = 0;
    else this.#wantedBytes = Math.min(this.#wantedBytes, depth * writeBytes) + bytesPerSecond / 1000;
  }

  ask(nowMs: number): void {
    const { depth, writeBytes } = this.host;
    for (; this.waiting.length < depth && this.#wantedBytes >= writeBytes; this.#wantedBytes -= writeBytes) {
      this.waiting.push(nowMs);
    }
  }
}

/** What a record takes besides its payload. */
const headBytes = 600;
const lookEveryMs = 250;

export class ThinLinkModel {
  readonly writes: ModelWrite[] = [];
  readonly samples: ModelSample[] = [];
  readonly #pace: Pick<LagAllowance, "look" | "bytes">;
  readonly #link: Required<ModelLink>;
  readonly #volumes: readonly Volume[];
  #nowMs = 0;
  #pressure = 0;
  /** Each that was added: when, and where it ends; from the first that is not durable on. */
  readonly #log: { readonly atMs: number; readonly endBytes: number }[] = [];
  #durableCount = 0;
  #durableBytes = 0;
  #addedBytes = 0;
  #sentCount = 0;
  #sentBytes = 0;
  #sendingUntilMs = 0;
  readonly #frames: { readonly endBytes: number; readonly landsMs: number }[] = [];
  #landedBytes = 0;
  #syncDueMs = Number.POSITIVE_INFINITY;
  #syncing: { readonly endBytes: number; readonly toldMs: number } | undefined;
  #seenToBytes = 0;
  #firstVolume = 0;

  constructor(pace: Pick<LagAllowance, "look" | "bytes">, link: ModelLink, hosts: readonly ModelHost[]) {
    this.#pace = pace;
    this.#link = { delayMs: 20, patienceMs: 50, syncMs: 5, ...link };
    this.#volumes = hosts.map((host) => new Volume(host));
    this.#look();
  }

  get durableBytes(): number {
    return this.#durableBytes;
  }

  get lagMs(): number {
    const oldest = this.#log[this.#durableCount];
    return oldest === undefined ? 0 : this.#nowMs - oldest.atMs;
  }

  /** What the longest of those waits that are under way. */
  get openWaitMs(): number {
    return Math.max(0, ...this.#volumes.map(({ waiting }) => this.#nowMs - (waiting[0] ?? this.#nowMs)));
  }

  pass(durationMs: number): void {
    for (const endMs = this.#nowMs + durationMs; this.#nowMs < endMs; this.#nowMs++) {
      this.#land();
      this.#sync();
      if (this.#nowMs % lookEveryMs === 0 && this.#durableBytes < this.#addedBytes) this.#look();
      this.#firstVolume++;
      for (let index = 0; index < this.#volumes.length; index++) {
        this.#write((index + this.#firstVolume) % this.#volumes.length);
      }
      while (this.#send());
      if (this.#nowMs % 100 === 0) {
        this.samples.push({ atMs: this.#nowMs, lagMs: this.lagMs, pressure: this.#pressure });
      }
    }
  }

  #look(): void {
    this.#pressure = this.#pace.look({
      nowMs: this.#nowMs,
      isLinkUp: true,
      durableSeq: this.#durableCount,
      durableBytes: this.#durableBytes,
      undurableBytes: this.#addedBytes - this.#durableBytes,
      ageMs: this.lagMs,
    });
    this.#seenToBytes = this.#addedBytes + this.#pace.bytes * unseenShareMax;
  }

  #write(index: number): void {
    const volume = this.#volumes[index] as Volume;
    const { waiting, throttle, host } = volume;
    volume.want(this.#nowMs);
    volume.ask(this.#nowMs);
    while (waiting.length > 0 && this.#pressure < 1 && throttle.waitMs(this.#nowMs) === 0) {
      throttle.passed(this.#nowMs, this.#pressure, host.writeBytes);
      const waitedMs = this.#nowMs - (waiting.shift() as number);
      this.writes.push({ volume: index, endedMs: this.#nowMs, waitedMs });
      this.#addedBytes += host.writeBytes + headBytes;
      this.#log.push({ atMs: this.#nowMs, endBytes: this.#addedBytes });
      if (this.#addedBytes > this.#seenToBytes) this.#look();
      volume.ask(this.#nowMs);
    }
  }

  /** Whole writes, as many as fit into a frame. */
  #send(): boolean {
    const bytesPerSecond = this.#link.bytesPerSecond(this.#nowMs);
    if (this.#sendingUntilMs > this.#nowMs || this.#sentBytes === this.#addedBytes || bytesPerSecond === 0)
      return false;
    let endBytes = this.#sentBytes;
    for (; this.#sentCount < this.#log.length; this.#sentCount++) {
      const next = (this.#log[this.#sentCount] as { endBytes: number }).endBytes;
      if (endBytes > this.#sentBytes && next - this.#sentBytes > shipperFrameBytes) break;
      endBytes = next;
    }
    const tookMs = ((endBytes - this.#sentBytes) / bytesPerSecond) * 1000;
    this.#sendingUntilMs = Math.max(this.#sendingUntilMs, this.#nowMs - 1) + tookMs;
    this.#sentBytes = endBytes;
    this.#frames.push({ endBytes, landsMs: this.#sendingUntilMs + this.#link.delayMs });
    return true;
  }

  #land(): void {
    for (let [next] = this.#frames; next !== undefined && next.landsMs <= this.#nowMs; [next] = this.#frames) {
      this.#landedBytes = next.endBytes;
      this.#frames.shift();
      this.#syncDueMs = Math.min(this.#syncDueMs, this.#nowMs + this.#link.patienceMs);
    }
  }

  #sync(): void {
    if (this.#syncing !== undefined && this.#syncing.toldMs <= this.#nowMs) {
      this.#durableBytes = this.#syncing.endBytes;
      this.#syncing = undefined;
      while ((this.#log[this.#durableCount]?.endBytes ?? Number.POSITIVE_INFINITY) <= this.#durableBytes) {
        this.#durableCount++;
      }
      this.#look();
    }
    if (this.#syncing !== undefined || this.#syncDueMs > this.#nowMs) return;
    this.#syncDueMs = Number.POSITIVE_INFINITY;
    const { syncMs, delayMs } = this.#link;
    this.#syncing = { endBytes: this.#landedBytes, toldMs: this.#nowMs + syncMs + delayMs };
  }
}
