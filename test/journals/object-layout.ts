/** Where what lies in an object, read by docs/formats.md alone: of what each of its bits is. */

export type LaidKind =
  | "header"
  | "frame"
  | "slots"
  | "fingerprints"
  | "table"
  | "records"
  | "extents"
  | "nodes"
  | "footer";

/** One thing that is damaged when any bit of it is turned. */
export interface LaidThing {
  readonly kind: LaidKind;
  /** Of a part. */
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

const endsBytes = 128;
const partHeaderBytes = 32;
const kindsByType: readonly (LaidKind | undefined)[] = [
  undefined,
  "frame",
  "slots",
  "fingerprints",
  "table",
  "records",
  "extents",
  "nodes",
];
/** In the header of a part. */
export const partTypeAt = 8;
const followingBytesAt = 12;
const numberAt = 20;

/** Without gaps, in their order. */
export function layoutOf(object: Buffer): LaidThing[] {
  const footerAt = object.length - endsBytes;
  const things: LaidThing[] = [{ kind: "header", number: 0, start: 0, end: endsBytes }];
  for (let start = endsBytes; start < footerAt; ) {
    const kind = kindsByType[object[start + partTypeAt] as number];
    if (kind === undefined) throw new Error(`there is no such part at ${start}`);
    const end = start + partHeaderBytes + object.readUInt32LE(start + followingBytesAt);
    things.push({ kind, number: object.readUInt32LE(start + numberAt), start, end });
    start = end;
  }
  return [...things, { kind: "footer", number: 0, start: footerAt, end: object.length }];
}

export function thingAt(things: readonly LaidThing[], byte: number): LaidThing {
  const thing = things.find(({ start, end }) => byte >= start && byte < end);
  if (thing === undefined) throw new Error(`nothing lies at ${byte}`);
  return thing;
}

/** Without these nobody finds the others. */
export function isOpening({ kind }: LaidThing): boolean {
  return kind === "header" || kind === "footer" || kind === "table";
}
