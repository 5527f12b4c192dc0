/** A volume whose parts die at named places of the product's code, and what of its last write is found where afterwards. */
import { expect } from "vitest";
import type { Mode } from "#src/appliance/local/mode-machine.ts";
import { bytesIn, HostWrites } from "#test/claims/host-writes.ts";
import { MiB } from "#test/clients/image.ts";
import { stampedBytes } from "#test/oracle/block-stamp.ts";
import type { JournalReplay } from "#test/oracle/journal-replay.ts";
import { typeNumber } from "#test/oracle/log-file-reader.ts";
import { type RoleName, roleNames, type SitePlaces, Sites, type SitesOptions, volumeName } from "#test/oracle/sites.ts";
import { differences } from "#test/oracle/source-comparison.ts";
import { whenSeen } from "#test/patience.ts";
import { Beginning } from "./beginning.ts";

/** What the one block of these tests holds: before, and what a write under way would make of it. */
export const before = 1;
export const after = 2;

export class StoppedAt {
  readonly sites: Sites;

  private constructor(sites: Sites) {
    this.sites = sites;
  }

  /**
   * For the tests of a file: the block is written once, and all is calm and ended in order, so that whatever comes next is the
   * first thing. `goOn` may have done more, and has ended what it has started.
   */
  static beginning(mode: Mode, goOn = async (_: StoppedAt): Promise<void> => {}): () => Promise<StoppedAt> {
    const beginning = new Beginning();
    const settings = { modes: { default: mode, linkLoss: "stall" } };
    const optionsAt = (places: SitePlaces): SitesOptions => ({ mode, sizeBytes: MiB, places, settings });
    return async () => {
      const places = await beginning.at(async (empty) => goOn(await StoppedAt.#begin(optionsAt(empty))));
      return new StoppedAt(Sites.ended(optionsAt(places)));
    };
  }

  static async #begin(options: SitesOptions): Promise<StoppedAt> {
    const sites = await Sites.make(options);
    await sites.groupThat((group) => group.mode === options.mode);
    const client = await sites.connect();
    await client.write(0, Buffer.alloc(stampedBytes, before));
    await client.flush();
    await client.disconnect();
    await sites.calm();
    await sites.stop("interceptor", "local", "remote");
    return new StoppedAt(sites);
  }

  /** Starts everything again, with faults ordered for one role. */
  async startWith(role: RoleName, ...faults: readonly string[]): Promise<void> {
    await this.#startAll(role, { faults }, () => this.sites.start(role));
    await this.sites.open();
    await this.sites.groupThat(({ linkUp }) => linkUp);
  }

  /** Starts everything again, one role under a tracer that makes system calls fail. */
  async startUnder(role: RoleName, ...tracer: readonly string[]): Promise<void> {
    await this.#startAll(role, { under: tracer }, () => this.sites.start(role));
  }

  async #startAll(
    role: RoleName,
    { faults = [], under = [] }: Partial<Pick<Sites, "faults" | "under">>,
    start: () => Promise<void>,
  ): Promise<void> {
    const { sites } = this;
    const others = roleNames.filter((one) => one !== role);
    Object.assign(sites, { faults, under });
    const ordered = start();
    Object.assign(sites, { faults: [], under: [] });
    await Promise.all([ordered, sites.start(...others)]);
  }

  /** Starts everything again and again, and each time the local appliance dies at its first record. */
  async dieAtEachStart(...faults: readonly string[]): Promise<void> {
    for (const fault of faults) {
      await this.#startAll("local", { faults: [fault] }, () => this.sites.startToDie("local"));
      await this.killAll();
    }
  }

  async killAll(): Promise<void> {
    await this.sites.kill(...roleNames.filter((one) => this.sites.runs(one)));
  }

  /** Writes the block anew, which kills that role. What was not answered then will not be: the host is cut off as well. */
  async writeUntilDeath(role: RoleName): Promise<void> {
    const { sites } = this;
    const writes = new HostWrites(await sites.connect());
    const isOver = writes.begin(0, after).catch(() => {});
    await sites.program(role).ended;
    if (role !== "interceptor") await sites.kill("interceptor");
    await isOver;
    expect(writes.answeredCount).toBe(0);
    await this.killAll();
  }

  async startAgain(): Promise<void> {
    await this.sites.start("remote", "local", "interceptor");
    await this.sites.open();
    await this.sites.calm();
  }

  get inSource(): number | undefined {
    return bytesIn(this.sites.source, 1)[0];
  }

  /** What the records that spool and remote have say of the block. */
  get inJournals(): number | undefined {
    using replay = this.sites.replay();
    return contentOf(replay);
  }

  get atRemote(): number | undefined {
    using replay = this.sites.remoteReplay();
    return contentOf(replay);
  }

  /** A host that was not answered tries again; then source and journals say the same, and hold each record once. */
  async expectRetryIsHarmless(): Promise<void> {
    const client = await this.sites.connect();
    await client.write(0, Buffer.alloc(stampedBytes, after));
    await client.flush();
    await client.disconnect();
    await this.expectWhole(after);
  }

  async expectWhole(byte: number): Promise<void> {
    await this.sites.calm();
    using replay = this.sites.replay();
    expect([contentOf(replay), this.inSource]).toEqual([byte, byte]);
    const volume = replay.volumeNumber(volumeName);
    expect(differences(this.sites.source, replay, volume)).toEqual([]);
    const ordinals = replay.records.filter((record) => record.ordinal > 0).map((record) => record.ordinal);
    expect(ordinals).toEqual(ordinals.map((_, index) => index + 1));
  }

  /** What the journals' records of mode say, the first one first. */
  get switches(): Readonly<Record<string, unknown>>[] {
    using replay = this.sites.replay();
    return replay.records.filter(({ type }) => type === typeNumber.mode).map(({ extra }) => extra ?? {});
  }

  async hearsOf(role: RoleName, words: string): Promise<void> {
    await whenSeen(() => expect(this.sites.program(role).stderr).toContain(words));
  }
}

function contentOf(replay: JournalReplay): number | undefined {
  const origin = replay.contentOf(replay.volumeNumber(volumeName)).get(0);
  return origin === undefined ? undefined : replay.bytesOf(origin)[0];
}
