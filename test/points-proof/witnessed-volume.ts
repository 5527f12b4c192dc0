/**
 * A volume of a running program, whose host is listened to: what it must hold at each seq is known from that alone. Reads of a
 * point's view are compared with it, byte for byte.
 */
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { JobReport } from "#src/control/job.ts";
import type { ViewFacts } from "#src/control/view.ts";
import type { PointsReport } from "#src/control/volume-history.ts";
import { parseNbdUri } from "#src/nbd/uri.ts";
import { RunningProgram } from "#test/cli/running-program.ts";
import { unixUri } from "#test/clients/harness.ts";
import type { ProxyAddress } from "#test/oracle/link-proxy.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { runFio } from "./fio.ts";
import { HostLog } from "./host-log.ts";
import { RecordingRelay } from "./recording-relay.ts";
import { SpoolTail } from "./spool-tail.ts";
import { ToldOrder } from "./told-order.ts";
import { VolumeReplay } from "./volume-replay.ts";

const volumeName = "disk";
const tailMs = 50;
const looksMax = 3;
const readBytes = 2 ** 20;
const blockBytes = 4096;
/** So long marks stay points, but for those at which the host was at rest: they always do. */
export const markSeconds = 16;

/** All of them small, so that everything happens many times while a test runs. */
const settings = {
  "store.sealAfterSeconds": "2",
  "store.sealBehind": "0",
  "store.snapshots.everySeconds": "5",
  "store.snapshots.everyRecords": "8000",
  "store.retention.keepSeconds": "off",
  "store.retention.marksSeconds": String(markSeconds),
  "store.retention.quiescedMarksSeconds": "off",
  "store.collect.graceSeconds": "1",
  "store.collect.everySeconds": "off",
  "modes.aggregateSeconds": "0.1",
  "local.spool.segment": "32M",
};

export interface SetMark {
  readonly name: string;
  readonly seq: number;
  /** The host was at rest. */
  readonly isQuiesced: boolean;
}

export class WitnessedVolume {
  readonly sizeBytes: number;
  readonly up: RunningProgram;
  readonly log: HostLog;
  readonly relay: RecordingRelay;
  readonly order: ToldOrder;
  /** Where hosts attach. */
  readonly uri: string;
  /** What each mark must hold: so many changes, as the host saw it while nothing was under way. */
  readonly quietMarks: { readonly name: string; readonly seq: number; readonly changes: number }[] = [];
  readonly marks: SetMark[] = [];
  readonly #tail: SpoolTail;
  readonly #replay: VolumeReplay;
  readonly #found: Buffer;
  readonly #timer: NodeJS.Timeout;
  #tailFailure: Error | undefined;
  /** What was written in the first interval that was folded is one point, behind all of it. */
  #firstPoint = 0;
  #isOver = false;

  private constructor(parts: {
    readonly sizeBytes: number;
    readonly up: RunningProgram;
    readonly log: HostLog;
    readonly relay: RecordingRelay;
    readonly socket: string;
    readonly spool: string;
  }) {
    const { sizeBytes, up, log, relay, socket, spool } = parts;
    this.sizeBytes = sizeBytes;
    this.up = up;
    this.log = log;
    this.relay = relay;
    this.uri = unixUri(socket, volumeName);
    this.order = new ToldOrder(log, sizeBytes);
    this.#tail = new SpoolTail(spool);
    this.#replay = new VolumeReplay(log, this.order, sizeBytes);
    this.#found = Buffer.alloc(sizeBytes);
    this.#timer = setInterval(() => this.#follow(), tailMs);
    onTestFinished(() => this.#leave());
  }

  static async make(folder: string, sizeBytes: number, levels: string): Promise<WitnessedVolume> {
    const data = join(folder, "data");
    const all = Object.entries({ ...settings, "store.retention.levels": levels });
    const up = await RunningProgram.start("up", data, ...all.flatMap(([name, value]) => ["--set", `${name}=${value}`]));
    const source = join(folder, "disk.img");
    const add = ["volume", "add", volumeName, "--source", source, "--size", String(sizeBytes)];
    const { uris } = (await up.asked(...add)) as VolumeReport;
    const log = new HostLog(join(folder, "host.log"));
    onTestFinished(() => log[Symbol.dispose]());
    const socket = join(folder, "relay.sock");
    const relay = await RecordingRelay.at(socket, addressOf(uris[0] as string), log);
    const volume = new WitnessedVolume({ sizeBytes, up, log, relay, socket, spool: join(data, "local") });
    // So that there is a point before all that follows, whatever the mode is then.
    await runFio(["--name=first", "--ioengine=nbd", `--uri=${volume.uri}`, "--rw=write", "--bs=4k", "--size=4k"]);
    await volume.sealed();
    return volume;
  }

  /** All that there was to see was seen. */
  async end(): Promise<void> {
    this.#leave();
    await this.up.program.stop();
  }

  #leave(): void {
    clearInterval(this.#timer);
    this.#isOver = true;
  }

  // What is done to it

  async asked(method: string, path: string, body?: object): Promise<unknown> {
    if (this.#isOver) throw new Error("the test is over");
    const response = await fetch(`${this.up.api}/api/v1${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  setMode(mode: string): Promise<unknown> {
    return this.asked("PUT", `/groups/${volumeName}/mode`, { mode });
  }

  setLevel(level: string): Promise<unknown> {
    return this.asked("PUT", `/volumes/${volumeName}/level`, { level });
  }

  async mark(isQuiesced = false): Promise<void> {
    const name = `mark-${this.marks.length}`;
    const body = { name, quiesced: isQuiesced };
    const { seq } = (await this.asked("POST", `/groups/${volumeName}/marks`, body)) as { readonly seq: number };
    this.marks.push({ name, seq, isQuiesced });
  }

  /** Of what the host had been answered by then, and nothing else. */
  async markQuietly(): Promise<void> {
    await this.relay.hold();
    const changes = this.log.changes.length;
    await this.mark(true);
    const mark = this.marks.at(-1);
    if (mark !== undefined) this.quietMarks.push({ name: mark.name, seq: mark.seq, changes });
    this.relay.release();
  }

  async collect(): Promise<JobReport> {
    const { id } = (await this.asked("POST", "/store/collect", {})) as JobReport;
    return await whenSeen(async () => {
      const job = (await this.asked("GET", `/jobs/${id}`)) as JobReport;
      expect(job.state).toBe("done");
      return job;
    });
  }

  /** Resolves with the last seq when all is durable at the remote, and in the order. */
  async calm(): Promise<number> {
    await this.up.whenAllArrived();
    this.#follow();
    this.check();
    return this.order.lastSeq;
  }

  /** Resolves when all that there is so far is in the store. */
  async sealed(): Promise<void> {
    const seq = await this.calm();
    await whenSeen(async () => {
      const { remoteGroups } = await this.up.status();
      expect(remoteGroups[0]?.stored).toBeGreaterThanOrEqual(seq);
    });
  }

  /** What was answered to the host by now is at no later seq. */
  seqNow(): number {
    this.#follow();
    this.check();
    return this.order.lastSeq;
  }

  /** As far as somebody has met it. */
  get firstPoint(): number {
    return this.#firstPoint;
  }

  /** Where points can be opened: from the first one on, up to what is durable at the remote. */
  async pointSpan(): Promise<{ readonly first: number; readonly last: number }> {
    return await whenSeen(async () => {
      const { remoteGroups } = await this.up.status();
      this.#follow();
      const first = this.order.seqOf(0);
      const last = Math.min(remoteGroups[0]?.durable ?? 0, this.order.lastSeq);
      if (first === undefined || last < first) throw new Error("there is no point yet");
      return { first: Math.max(first, this.#firstPoint), last };
    });
  }

  /** Throws if anything was not as it should be beside the points. */
  check(): void {
    this.relay.check();
    if (this.#tailFailure !== undefined) throw this.#tailFailure;
  }

  #follow(): void {
    if (this.#tailFailure !== undefined) return;
    try {
      this.order.take(this.#tail.read());
    } catch (error) {
      this.#tailFailure = error as Error;
    }
  }

  // Points

  async history(): Promise<PointsReport> {
    return (await this.asked("GET", `/volumes/${volumeName}/points`)) as PointsReport;
  }

  /** Undefined: there is no such mark. */
  async openMark(name: string): Promise<ViewFacts | undefined> {
    try {
      return await this.#openedView({ point: `mark:${name}` });
    } catch (error) {
      if ((error as Error).message.includes(`no mark '${name}' has come here`)) return undefined;
      throw error;
    }
  }

  /**
   * A view of this point, or of the last one before it, or else of the first one. `since`: with a metadata context of what has changed
   * since there.
   */
  openView(words: string, isWritable = false, since: readonly string[] = []): Promise<ViewFacts> {
    const context = since.length === 0 ? {} : { since: since.join(",") };
    return this.#openedView({ point: words, nearest: true, writable: isWritable, ...context });
  }

  async #openedView(wish: { readonly point: string } & Readonly<Record<string, unknown>>): Promise<ViewFacts> {
    let { point } = wish;
    for (let look = 1; ; look++) {
      try {
        return (await this.asked("POST", "/views", { volume: volumeName, ...wish, point })) as ViewFacts;
      } catch (error) {
        const { message } = error as Error;
        // A point may be folded after it was found and before it is pinned: then there is another one, or none.
        if (!message.includes(" is no point: it is within an aggregate") || look === looksMax) throw error;
        const [, firstSeq] = /; the nearest points are after it seq:(\d+)/.exec(message) ?? [];
        if (firstSeq === undefined) continue;
        this.#firstPoint = Number(firstSeq);
        point = `seq:${firstSeq}`;
      }
    }
  }

  async closeView({ name, writable }: ViewFacts): Promise<void> {
    await this.asked("DELETE", `/views/${encodeURIComponent(name)}${writable ? "?discard=true" : ""}`);
  }

  expectedAt(seq: number): Buffer {
    return this.#replay.at(seq);
  }

  /** Every byte of a view beside what the host had made of the volume by its seq. */
  async compare({ uri, seq }: ViewFacts): Promise<string | undefined> {
    const found = this.#found;
    found.fill(0xa5);
    const client = await openVolume(uri);
    const reads: Promise<void>[] = [];
    for (let at = 0; at < this.sizeBytes; at += readBytes) {
      const end = Math.min(at + readBytes, this.sizeBytes);
      reads.push(client.readInto(at, found.subarray(at, end)));
    }
    await Promise.all(reads);
    await client.disconnect();
    const wanted = this.expectedAt(seq);
    return wanted.equals(found) ? undefined : firstDifference(wanted, found);
  }
}

function firstDifference(wanted: Buffer, found: Buffer): string {
  const blocks: number[] = [];
  for (let at = 0; at < wanted.length; at += blockBytes) {
    if (wanted.compare(found, at, at + blockBytes, at, at + blockBytes) !== 0) blocks.push(at / blockBytes);
  }
  return `${blocks.length} blocks differ: ${blocks.slice(0, 8).join(", ")}`;
}

function addressOf(uri: string): ProxyAddress {
  const { address } = parseNbdUri(uri);
  return address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port };
}
