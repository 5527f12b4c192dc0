/** An object of the store that is not as it was written. */
import { StopError } from "#src/core/errors.ts";
import type { ObjectName } from "./objects.ts";
import { type PartType, partTypeName } from "./part.ts";

/** A part by what it should be, or where that is not known by what it says, if that makes sense. */
export interface DamagedPart {
  readonly type?: PartType;
  readonly number?: number;
  readonly offset: number;
  /** Of a part that does not say how long it is: up to where the next one begins. */
  readonly storedBytes: number;
}

/** What of the object is damaged: a part, or what holds the parts together. */
export type DamagedThing = "header" | "footer" | DamagedPart;

/** Exactly this one thing cannot be relied on; the rest of the object may be sound. */
export class ObjectDamageError extends StopError {
  override name = "ObjectDamageError";
  readonly objectName: ObjectName;
  readonly thing: DamagedThing;
  /** What was found, as in "…: its checksum does not fit". */
  readonly finding: string;

  constructor(objectName: ObjectName, thing: DamagedThing, finding: string) {
    super(`${objectName} is damaged in its ${thingInWords(thing)}: ${finding}`);
    this.objectName = objectName;
    this.thing = thing;
    this.finding = finding;
  }
}

function thingInWords(thing: DamagedThing): string {
  if (typeof thing === "string") return thing;
  const { type, number = 0, offset, storedBytes } = thing;
  const where = `at ${offset}, ${storedBytes} bytes`;
  return type === undefined ? `part ${where}` : `part ${partTypeName(type)} ${number} (${where})`;
}
