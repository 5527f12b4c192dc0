/** A group's open journal, what is sealed of it, its snapshots, and its points as somebody beside reads them. */

import type { Files } from "#src/host/files.ts";
import { DirtyFiles } from "#src/journals/dirty-files.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { wholeJournal } from "#src/journals/journal-start.ts";
import { MetadataCursor } from "#src/journals/metadata-cursor.ts";
import { MetadataJournal } from "#src/journals/metadata-journal.ts";
import { foldPieces } from "#src/journals/piece-fold.ts";
import { PieceSealer } from "#src/journals/piece-sealer.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import { sealedPieces } from "#src/journals/sealed-piece-chain.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { AbsentObjectError, type Objects, type ReadableObjects } from "#src/store/objects.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import type { ExtentRows } from "#src/synth/extent-rows.ts";
import { GroupHistory } from "#src/synth/group-history.ts";
import { GroupPoints } from "#src/synth/group-points.ts";
import { LayerAnswer, says } from "#src/synth/image-layer.ts";
import { ImageRuns, runKind } from "#src/synth/image-runs.ts";
import type { KeptPages } from "#src/synth/kept-pages.ts";
import type { PointImage } from "#src/synth/point-image.ts";
import { driven } from "#test/contract/driver.ts";
import {
  contentOf,
  type PlainRecord,
  plainRecords,
  RandomUnits,
  type Unit,
  volumeBlocks,
  volumeCount,
} from "#test/journals/random-units.ts";
import { listOf, pieceGroup } from "#test/journals/sealed-pieces.ts";
import { journalIdentity, writeUnit } from "#test/journals/sealing-world.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { idleControl } from "./snapshot-world.ts";

export const storeFolder = "/data/store";
const journalPieceBytes = 2 ** 20;
const beganMicros = 1_700_000_000_000_000;

export class PointWorld {
  readonly host: SimHost;
  readonly random: SeededRandom;
  readonly records: PlainRecord[] = [];
  /** Seqs that are points of the group. */
  readonly pointSeqs: number[] = [];
  readonly folder = new JournalFolder("/data/group");
  readonly #simulation: Simulation;
  readonly #units: RandomUnits;
  #journal: MetadataJournal;
  #sealerCount = 0;
  durableSeq = Number.MAX_SAFE_INTEGER;
  /** What happens before whoever reads points gets a list. */
  beforeList: (prefix: string) => Promise<void> = async () => {};
  /** Names of objects that whoever reads points has read of, since somebody has emptied it. */
  readonly readObjects = new Set<string>();
  objects!: Objects;
  history!: GroupHistory;
  points!: GroupPoints;

  private constructor(seed: number) {
    this.#simulation = new Simulation(seed);
    this.host = this.#simulation.host("remote");
    this.random = new SeededRandom(seed);
    this.#units = new RandomUnits(this.random, volumeCount + 1);
    this.host.files.makeFolder("/data");
    this.folder.makeNow(this.host.files);
    this.#journal = this.#journalFrom(0, 1);
  }

  #journalFrom(endPosition: number, expectedSeq: number): MetadataJournal {
    const { files } = this.host;
    const parts = { files, folder: this.folder, ...journalIdentity, dirty: new DirtyFiles(files) };
    return new MetadataJournal(
      { ...parts, pieceBytes: journalPieceBytes, durableSeq: () => 0 },
      endPosition,
      expectedSeq,
    );
  }

  /** All that was written goes from the journal, as what is sealed does. */
  cutJournal(): void {
    const { files } = this.host;
    const positions = this.folder.pieces(files);
    for (const position of positions) files.remove(this.folder.piecePath(position));
    this.#journal = this.#journalFrom((positions.at(-1) ?? 0) + journalPieceBytes, this.lastSeq + 1);
  }

  static async make(seed: number): Promise<PointWorld> {
    const world = new PointWorld(seed);
    const { files, clock } = world.host;
    await world.run(new Promise((resolve) => files.syncFolder("/", resolve)));
    world.objects = await world.run(FolderObjects.open({ files, clock }, storeFolder));
    const parts = { objects: world.objects, key: undefined, group: pieceGroup };
    world.history = new GroupHistory({ ...parts, randomness: world.random, clock });
    world.#write([volumesJoin()]);
    return world;
  }

  run<Result>(work: Promise<Result>): Promise<Result> {
    return driven(simDriver(this.#simulation.clock), work);
  }

  /** Time goes by. */
  pass(ms: number): Promise<void> {
    return this.run(
      new Promise((resolve) => {
        this.host.clock.timer(ms, resolve);
      }),
    );
  }

  write(count: number): void {
    this.#write(this.#units.take(count));
  }

  writeUnits(units: readonly Unit[]): void {
    this.#write(units);
  }

  #write(units: readonly Unit[]): void {
    for (const unit of units) {
      writeUnit(this.#journal, unit);
      this.records.push(...plainRecords([unit]));
      const seqs = unit.records.map(({ seq }) => seq);
      this.pointSeqs.push(...(unit.isAggregate ? seqs.slice(-1) : seqs));
    }
  }

  /** In its middle, of what is durable. */
  damageOpenPiece(): void {
    const { files } = this.host;
    const [path] = this.folder.pieces(files).map((position) => this.folder.piecePath(position));
    const handle = files.open(path as string, "readWrite");
    handle.writeNow(Buffer.alloc(64, 0xff), 0, 64, Math.floor(handle.sizeBytesNow() / 2 / 512) * 512 + 128);
    handle.close();
  }

  get lastSeq(): number {
    return this.records.at(-1)?.seq ?? 0;
  }

  pieces(): Promise<SealedPiece[]> {
    return listOf(sealedPieces(this.objects, pieceGroup, undefined));
  }

  /** All that was written, as the next piece. */
  async seal(): Promise<SealedPiece> {
    const previous = (await this.run(this.pieces())).at(-1)?.link;
    const randomness = new SeededRandom(5 + this.#sealerCount++);
    const walkFrom = (seq: number) => new MetadataCursor(this.host.files, this.folder, journalIdentity, seq);
    const unseen = { saw: () => {}, assertWhole: async () => {} };
    const parts = { objects: this.objects, randomness, key: undefined, group: pieceGroup, previous };
    const piece = await this.run(new PieceSealer({ ...parts, walkFrom, ...unseen }).sealNext(this.lastSeq, 1));
    return piece as SealedPiece;
  }

  snapshot(seq: number) {
    return this.run(this.history.makeSnapshot(seq, idleControl));
  }

  /** Into points that are a second apart, at least. */
  fold(pieces: readonly SealedPiece[]): Promise<unknown> {
    const rule = { level: 1, keepsPoint: () => false, keepsMark: () => true };
    const publish = <Done>(finish: () => Promise<Done>) => finish();
    const { objects, random: randomness } = this;
    const parts = { objects, randomness, key: undefined, group: pieceGroup };
    return this.run(foldPieces(parts, { pieces, rule, nowMicros: 1, publish, control: idleControl }));
  }

  retain(fromSeq: number) {
    return this.run(this.history.retain({ fromSeq }, idleControl));
  }

  /** `pages`: where they are to be kept. */
  async open(pages?: KeptPages): Promise<GroupPoints> {
    const { files, clock } = this.host;
    const beforeList = (prefix: string) => this.beforeList(prefix);
    const folderObjects = FolderObjects.openToRead({ files, clock }, storeFolder);
    const objects = withoutHandles(files, folderObjects, { beforeList, readObjects: this.readObjects });
    const segments = await this.run(
      SealedSegments.open(objects, (identity) => SegmentFile.open(objects, identity, undefined)),
    );
    const { folder } = this;
    const { incarnation } = journalIdentity;
    this.points = await this.run(
      GroupPoints.open({
        ...{ files, clock, objects, segments, key: undefined, group: pieceGroup },
        reader: new BlockReader(segments),
        ...(pages === undefined ? {} : { pages }),
        journal: () => ({
          folder,
          incarnation,
          start: wholeJournal,
          durableSeq: Math.min(this.durableSeq, this.lastSeq),
        }),
      }),
    );
    return this.points;
  }

  image(volume: number, seq: number): Promise<PointImage> {
    return this.run(this.points.open(volume, seq));
  }

  /** Whether the volume has something besides the record with which it joined. */
  isPointOf(volume: number, seq: number): boolean {
    return this.records.some((record) => record.volume === volume && record.seq > volumeCount && record.seq <= seq);
  }

  /** What an image says of its blocks that the records do not say. `isLost`: whether that may be unknown. */
  async differences(image: PointImage, isLost: (block: number) => boolean = () => false): Promise<string[]> {
    const found = await this.run(wordsOf(image));
    return found.flatMap((said, block) => {
      const address = contentOf(this.records, image.volume, block, image.seq)?.address ?? 0;
      const wanted = address === 0 ? "zeros" : `${address}`;
      if (said === wanted || (said === "unknown" && isLost(block))) return [];
      return [`after ${image.seq} volume ${image.volume} block ${block}: ${said}, and not ${wanted}`];
    });
  }
}

/** What was removed is gone, as with a service: a folder's files go on being read by who has them open. */
function withoutHandles(
  files: Files,
  objects: ReadableObjects,
  { beforeList, readObjects }: Pick<PointWorld, "beforeList" | "readObjects">,
): ReadableObjects {
  return {
    read: async (name, target, position) => {
      readObjects.add(name);
      if (!files.exists(`${storeFolder}/${name}`)) throw new AbsentObjectError(name);
      return await objects.read(name, target, position);
    },
    sizeBytes: (name) => objects.sizeBytes(name),
    list: async function* (prefix) {
      await beforeList(prefix);
      yield* objects.list(prefix);
    },
    readDocument: (name) => objects.readDocument(name),
    close: () => objects.close(),
  };
}

export async function wordsOf(image: PointImage): Promise<string[]> {
  const runs = new ImageRuns();
  await image.runsIn(0, image.blockCount, runs);
  const words: string[] = [];
  for (let run = 0; run < runs.count; run++) {
    for (let block = 0; block < runs.blockCount(run); block++) words.push(wordOf(runs, run, block));
  }
  return words;
}

function wordOf(runs: ImageRuns, run: number, block: number): string {
  if (runs.kind(run) === runKind.unknown) return "unknown";
  return runs.kind(run) === runKind.hole ? "zeros" : `${runs.address(run) + block}`;
}

/** Of each block; undefined: they say nothing of it. */
export function addressesIn(rows: ExtentRows, blockCount: number): (number | undefined)[] {
  const answer = new LayerAnswer();
  return Array.from({ length: blockCount }, (_, block) => {
    rows.look(block, answer);
    return answer.says === says.nothing ? undefined : answer.address;
  });
}

function volumesJoin(): Unit {
  const extras: Buffer[] = [];
  let extraAt = 0;
  const records = Array.from({ length: volumeCount }, (_, index) => {
    const volume = index + 1;
    const extra = encodeExtra({ id: `id-${volume}`, name: `disk-${volume}`, sizeBytes: volumeBlocks * 4096 });
    extras.push(extra);
    const nothing = { startBlock: 0, blockCount: 0, address: 0, ordinal: 0, level: 0 };
    const place = { volume, seq: volume, timeMicros: beganMicros, epoch: 1 };
    const record = { type: recordType.volume, ...place, ...nothing, extraBytes: extra.length, extraAt };
    extraAt += extra.length;
    return record;
  });
  return { firstSeq: 1, isAggregate: false, records, bytes: Buffer.concat(extras) };
}
