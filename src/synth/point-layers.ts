/**
 * What an image of a point is made of: the newest readable snapshot at it or before, the sealed pieces behind that, and what is not
 * sealed yet; and what these say of the volumes themselves.
 *
 * Damage: a snapshot that cannot be opened is passed over, as long as the history has the pieces behind an earlier one, and so are nodes
 * of it; a piece that cannot be opened, or is missing, leaves all unknown that nothing newer speaks of.
 */
import type { SealedPieceIdentity } from "#src/journals/sealed-piece-format.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { BaseLayer } from "./base-layer.ts";
import type { HistoryGap, HistoryGaps } from "./history-gaps.ts";
import { type ImageLayer, unknownLayer } from "./image-layer.ts";
import type { ImageLayers } from "./layered-image.ts";
import type { OpenTail } from "./open-tail.ts";
import type { PagePlace } from "./page-slot.ts";
import type { DamagedRecords } from "./piece-events.ts";
import { type HeldPiece, PieceLayer } from "./piece-layer.ts";
import { RowsLayer } from "./rows-layer.ts";
import type { HeldSnapshot, SealedPoints } from "./sealed-points.ts";
import type { TailChunk } from "./tail-chunk.ts";
import { TreeImageLayer } from "./tree-layer.ts";
import { type VolumeState, VolumeStates } from "./volume-state.ts";

export interface PointLayersParts {
  readonly sealed: SealedPoints;
  readonly tail: OpenTail;
  readonly gaps: HistoryGaps;
  readonly place: PagePlace;
}

/** Everything that a point is made of. */
export interface PointMaking {
  /** Undefined: none is needed, since the pieces begin with the first record; or none can be read. */
  readonly base: HeldSnapshot | undefined;
  readonly isBaseLost: boolean;
  /** In their order. */
  readonly pieces: readonly SealedPieceIdentity[];
  readonly chunks: readonly TailChunk[];
  /** Between all these. */
  readonly gaps: readonly HistoryGap[];
  readonly findings: readonly string[];
}

export class PointLayers {
  readonly #parts: PointLayersParts;

  constructor(parts: PointLayersParts) {
    this.#parts = parts;
  }

  /** `seq` is a point of the group. */
  layers(volume: number, seq: number): Promise<ImageLayers> {
    return this.#layers(volume, seq, Number.POSITIVE_INFINITY);
  }

  /** Made of snapshots before this one. */
  async #layers(volume: number, seq: number, beforeSeq: number): Promise<ImageLayers> {
    const { base, isBaseLost, pieces, chunks, gaps, findings: found } = await this.making(seq, beforeSeq);
    const findings = [...found, ...gaps.map(damageInWords)];
    const layers: ImageLayer[] = await this.#tailLayers(volume, seq, chunks);
    if (gaps.at(-1)?.isBeforeTail === true) layers.push(unknownLayer);
    for (const identity of pieces.toReversed()) {
      const held = await this.#parts.sealed.held(identity);
      const layer = this.#pieceLayer(held, volume, seq);
      const { damaged } = await this.#parts.sealed.events(identity);
      findings.push(...damaged.map(damageInWords));
      if (layer !== undefined) layers.push(layer);
      if (gaps.some(({ nextSeq }) => nextSeq === identity.firstSeq)) layers.push(unknownLayer);
    }
    if (base !== undefined) layers.push(...this.#baseLayers(volume, base));
    if (isBaseLost) layers.push(unknownLayer);
    return { layers, findings, close: () => this.#close(layers) };
  }

  #close(layers: readonly ImageLayer[]): void {
    for (const layer of layers) layer.close?.();
    this.#parts.place.pages.dropGone();
  }

  #baseLayers(volume: number, base: HeldSnapshot): readonly ImageLayer[] {
    const { seq } = base.snapshot;
    const { basedOn } = this.#parts.sealed.history;
    const trees = base.treesOf(volume).map((tree) => new TreeImageLayer(tree));
    // What a history begins with, and what is kept of before it, is all that there is of it.
    if (seq <= basedOn) return trees;
    return [new BaseLayer(trees, async () => (await this.#layers(volume, seq, seq)).layers)];
  }

  async #tailLayers(volume: number, seq: number, chunks: readonly TailChunk[]): Promise<ImageLayer[]> {
    const { tail } = this.#parts;
    const layers: ImageLayer[] = [];
    for (const chunk of chunks) {
      const rows = await tail.rowsOf(chunk, volume, seq);
      if (rows.count > 0) layers.push(new RowsLayer(rows));
      // To put a chunk's records in the order of their blocks takes a while, where that was not done before.
      await new Promise<void>((resolve) => this.#parts.place.clock.soon(resolve));
    }
    return layers.reverse();
  }

  /** Undefined: it says nothing of the volume. */
  #pieceLayer(held: HeldPiece | ObjectDamageError, volume: number, seq: number): ImageLayer | undefined {
    if (held instanceof ObjectDamageError) return unknownLayer;
    if (held.indexOf(volume).pages.length === 0) return undefined;
    return new PieceLayer(held, volume, seq, this.#parts.place);
  }

  /** What the group's volumes are there. Damage of what would say it is passed over, as findings tell. */
  async states(seq: number): Promise<readonly VolumeState[]> {
    const { sealed } = this.#parts;
    const { base, pieces, chunks } = await this.making(seq);
    const baseSeq = base?.snapshot.seq ?? 0;
    const states = new VolumeStates(base?.snapshot.volumes ?? []);
    for (const identity of pieces) {
      for (const record of (await sealed.events(identity)).records) {
        if (record.seq > baseSeq && record.seq <= seq) states.saw(record);
      }
    }
    for (const chunk of chunks) {
      for (const record of chunk.summary.events) {
        if (record.seq > Math.max(baseSeq, sealed.lastSeq) && record.seq <= seq) states.saw(record);
      }
    }
    return states.all;
  }

  async making(seq: number, beforeSeq = Number.POSITIVE_INFINITY): Promise<PointMaking> {
    const { sealed, tail } = this.#parts;
    const findings: string[] = [];
    const base = await this.#base(seq, beforeSeq, findings);
    const baseSeq = base?.snapshot.seq ?? 0;
    const isBaseLost = base === undefined && sealed.history.basedOn > 0;
    const first = Math.max(0, sealed.indexOf(baseSeq));
    const ahead = sealed.pieces.slice(first).filter(({ firstSeq }) => firstSeq <= seq);
    const chunks = seq <= sealed.lastSeq ? [] : tail.chunks.filter(({ firstSeq }) => firstSeq <= seq);
    // At a snapshot it has all, whatever became of the piece that it lies in.
    const pieces = seq === baseSeq ? [] : await this.#behind(ahead, baseSeq);
    const gaps = seq === baseSeq ? [] : await this.#gaps(base, isBaseLost, pieces, chunks.length > 0);
    return { base, isBaseLost, pieces, chunks, gaps, findings };
  }

  #gaps(
    base: HeldSnapshot | undefined,
    isBaseLost: boolean,
    pieces: readonly SealedPieceIdentity[],
    isWithTail: boolean,
  ): Promise<readonly HistoryGap[]> {
    const { gaps } = this.#parts;
    const ofBase = base === undefined ? gaps.historyStart : { seq: base.snapshot.seq, link: base.snapshot.through };
    return gaps.find({ start: isBaseLost ? undefined : ofBase, pieces, isWithTail });
  }

  /** The newest at or before that can be read. */
  async #base(seq: number, beforeSeq: number, findings: string[]): Promise<HeldSnapshot | undefined> {
    const { sealed } = this.#parts;
    const { basedOn } = sealed.history;
    // Before the history there are single snapshots alone, each of which is one point.
    const isUsable = (one: number): boolean => one < beforeSeq && ((one <= seq && one >= basedOn) || one === seq);
    for (const one of sealed.snapshotSeqs.filter(isUsable).reverse()) {
      const held = await sealed.snapshot(one);
      if (!(held instanceof ObjectDamageError)) return held;
      findings.push(held.message);
    }
    return undefined;
  }

  /** The first may end with what the snapshot has. */
  async #behind(pieces: readonly SealedPieceIdentity[], baseSeq: number): Promise<readonly SealedPieceIdentity[]> {
    const [first, ...others] = pieces;
    if (first === undefined || baseSeq === 0) return pieces;
    const held = await this.#parts.sealed.held(first);
    const isKnown = !(held instanceof ObjectDamageError) && held.piece.numbers.lastSeq <= baseSeq;
    const isBefore = held instanceof ObjectDamageError && others[0] !== undefined && others[0].firstSeq === baseSeq + 1;
    return isKnown || isBefore ? others : pieces;
  }
}

function damageInWords({ firstSeq, lastSeq, finding }: DamagedRecords): string {
  return `records ${firstSeq} to ${lastSeq}: ${finding}`;
}
