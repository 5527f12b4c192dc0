/** The index of fingerprints is lost while the remote appliance is down: no point needs it, and what it was good for comes back. */
import { globSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import type { ViewFacts } from "#src/control/view.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryPlaces } from "#test/kill/rounds.ts";
import { stampedBytes as blockBytes } from "#test/oracle/block-stamp.ts";
import { filesUnder, typeNumber } from "#test/oracle/log-file-reader.ts";
import { Sites, volumeName } from "#test/oracle/sites.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

needPrograms("setpriv");

const blockCount = 64;
const contentCount = 24;
const writeCount = 60;

class DuplicatedVolume {
  readonly sites: Sites;
  /** What the volume held after each write. */
  readonly states: Buffer[] = [];
  readonly #contents: readonly Buffer[];
  readonly #random = new SeededRandom(75);

  constructor(sites: Sites) {
    this.sites = sites;
    this.#contents = Array.from({ length: contentCount }, () => this.#random.bytes(blockBytes));
  }

  get remoteFolder(): string {
    return join(this.sites.dataOf("remote"), "remote");
  }

  /** Each of one block, and of the few contents. */
  async write(): Promise<void> {
    const client = await this.sites.connect();
    for (let index = 0; index < writeCount; index++) {
      const state = Buffer.from(this.states.at(-1) ?? Buffer.alloc(blockCount * blockBytes));
      const offset = this.#random.integerBelow(blockCount) * blockBytes;
      (this.#contents[index % contentCount] as Buffer).copy(state, offset);
      await client.write(offset, state.subarray(offset, offset + blockBytes));
      this.states.push(state);
    }
    await client.flush();
    await client.disconnect();
    await this.sites.calm();
  }

  /** All payload is in the store, and no file of a segment is left. */
  sealed(): Promise<void> {
    const unsealed = () => filesUnder(join(this.remoteFolder, "groups")).filter((path) => /\.(data|sums)$/.test(path));
    return whenSeen(() => expect(unsealed()).toEqual([]));
  }

  /** Of all segments in the store, what their footers say (docs/formats.md). */
  counts(): { readonly kept: number; readonly forwards: number } {
    const footers = globSync(join(this.remoteFolder, "objects/segments/*")).map((path) =>
      readFileSync(path).subarray(-128),
    );
    const sum = (at: number) => footers.reduce((all, footer) => all + footer.readUInt32LE(56 + at), 0);
    return { kept: sum(4), forwards: sum(8) };
  }

  /** The state behind each write, by the files alone and as the program gives it. */
  async compare(): Promise<void> {
    for (const [index, seq] of this.#seqsCompared().entries()) {
      expect([seq, (await this.#view(seq)).equals(this.states[index] as Buffer)]).toEqual([seq, true]);
    }
  }

  #seqsCompared(): readonly number[] {
    using replay = this.sites.remoteReplay();
    const records = replay.records.filter(({ type }) => type === typeNumber.write);
    expect(records).toHaveLength(this.states.length);
    const found = Buffer.alloc(blockCount * blockBytes);
    for (const [index, record] of records.entries()) {
      replay.bytesOf({ record, index: 0 }).copy(found, record.startBlock * blockBytes);
      expect([record.seq, found.equals(this.states[index] as Buffer)]).toEqual([record.seq, true]);
    }
    return records.map(({ seq }) => seq);
  }

  async #view(seq: number): Promise<Buffer> {
    const views = `${this.sites.api("remote")}/api/v1/views`;
    const body = JSON.stringify({ volume: volumeName, point: `seq:${seq}` });
    const answer = await fetch(views, { method: "POST", headers: { "content-type": "application/json" }, body });
    const { uri, name } = (await answer.json()) as ViewFacts;
    const client = await openVolume(uri);
    const content = await client.read(0, blockCount * blockBytes);
    await client.disconnect();
    expect((await fetch(`${views}/${name}`, { method: "DELETE" })).status).toBe(200);
    return content;
  }
}

test("claims A7 and C1: without its index the store gives back every seq, and keeps what is written again no second time", async () => {
  const settings = { store: { sealAfterSeconds: 1, collect: { everySeconds: "off" } } };
  const places = await temporaryPlaces();
  const volume = new DuplicatedVolume(
    await Sites.make({ mode: "async", sizeBytes: blockCount * blockBytes, places, settings }),
  );
  const { sites, remoteFolder } = volume;
  await volume.write();
  await volume.sealed();
  expect(volume.counts()).toEqual({ kept: contentCount, forwards: writeCount - contentCount });
  await sites.stop("remote");
  const index = join(remoteFolder, "index");
  expect(filesUnder(index).map((path) => basename(path))).toContain("fingerprints.map");
  rmSync(index, { recursive: true });

  await sites.start("remote");
  await volume.compare();
  await volume.write();
  await volume.sealed();
  expect(volume.counts()).toEqual({ kept: contentCount, forwards: 2 * writeCount - contentCount });
  await volume.compare();
});
