/**
 * Checks an object as far as that can be done without knowing its kind: its name, its ends, and every part. Enough for those
 * of which no single part can be repaired but by turning a bit back.
 */

import type { ObjectSource } from "./object-ends.ts";
import { objectHeaderBytes, objectKind, type WantedObject } from "./object-format.ts";
import type { ObjectName } from "./objects.ts";
import { partType, partTypeName } from "./part.ts";
import { walkParts } from "./part-walk.ts";
import { Flaws, thingOfType } from "./scrub-flaws.ts";
import { type ScrubMemory, ScrubSource } from "./scrub-source.ts";
import type { WorkControl } from "./work-control.ts";

const kindsOfFolders: Readonly<Record<string, WantedObject["kind"]>> = {
  segments: objectKind.segment,
  pieces: objectKind.piece,
  snapshots: objectKind.snapshot,
};

/** What should lie under a name. Undefined: it is no name of an object that this program knows. */
export function wantedUnder(name: ObjectName): WantedObject | undefined {
  const match = /^(segments|pieces|snapshots)\/(?:([0-9a-f]{32})\/)?(\d+)(?:\.(\d{4}))?$/.exec(name);
  const kind = kindsOfFolders[match?.[1] ?? ""];
  if (match === null || kind === undefined) return undefined;
  return { kind, group: match[2], number: Number(match[3]), generation: Number(match[4] ?? 0) };
}

export interface ContainerCheckParts {
  readonly key: Buffer | undefined;
  readonly memory: ScrubMemory;
}

/** Rejects with an `AbsentObjectError` where it is not there any more. */
export async function checkContainer(
  objects: ObjectSource,
  name: ObjectName,
  identity: WantedObject,
  { key, memory }: ContainerCheckParts,
  control: WorkControl,
): Promise<Flaws> {
  const flaws = new Flaws();
  try {
    const source = await ScrubSource.open(objects, { name, identity, key }, memory, control);
    await checkParts(objects, source, flaws, memory, control);
  } catch (error) {
    flaws.addError(error);
  }
  return flaws;
}

async function checkParts(
  objects: ObjectSource,
  { name, ends }: ScrubSource,
  flaws: Flaws,
  { content }: ScrubMemory,
  control: WorkControl,
): Promise<void> {
  const { footer, codec } = ends;
  const end = footer.tableAt + footer.tableBytes;
  const read = (target: Buffer, position: number) => objects.read(name, target, position);
  let last: string | undefined;
  for await (const { offset, storedBytes, head, finding, bytes, start } of walkParts(
    read,
    codec,
    objectHeaderBytes,
    end,
  )) {
    await control.pace(storedBytes);
    const found = finding ?? codec.unpack(offset, bytes, start, content, 0);
    last = head === undefined ? undefined : partTypeName(head.type);
    if (typeof found === "number") continue;
    flaws.add(head === undefined ? "parts" : thingOfType(head.type), found, { place: { offset, storedBytes } });
  }
  if (flaws.isEmpty && last !== partTypeName(partType.table)) flaws.add("footer", "what it says is the table is none");
}
