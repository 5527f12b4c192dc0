/** Reads an object's parts to check them all: many with one request, and what is wrong with one is told beside the others. */
import { StopError } from "#src/core/errors.ts";
import { partBytesMax, scrubReadBytes } from "#src/core/store-limits.ts";
import { type ObjectEnds, type ObjectSource, readObjectEnds } from "./object-ends.ts";
import { objectHeaderBytes, type WantedObject } from "./object-format.ts";
import type { ObjectName } from "./objects.ts";
import { type PartFinding, partHeaderBytes, partStoredBytesMax, type WantedPart } from "./part.ts";
import { readAgain } from "./read-again.ts";
import type { WorkControl } from "./work-control.ts";

/** What it held, until the next one comes; or what is wrong with it. One that is not given may be sound. */
export type FoundContent = { readonly content: Buffer } | { readonly finding: string; readonly isNotGiven?: boolean };

const notGiven: FoundContent = { finding: "the disk does not give it", isNotGiven: true };

/** Used again for the next object. */
export class ScrubMemory {
  readonly stored = Buffer.allocUnsafeSlow(Math.max(scrubReadBytes, partStoredBytesMax));
  readonly content = Buffer.allocUnsafeSlow(partBytesMax);
}

export class ScrubSource {
  readonly name: ObjectName;
  readonly ends: ObjectEnds;
  readonly #source: ObjectSource;
  readonly #memory: ScrubMemory;
  readonly #control: WorkControl;

  private constructor(
    source: ObjectSource,
    name: ObjectName,
    ends: ObjectEnds,
    memory: ScrubMemory,
    control: WorkControl,
  ) {
    this.name = name;
    this.ends = ends;
    this.#source = source;
    this.#memory = memory;
    this.#control = control;
  }

  /** Rejects as `readObjectEnds` does. */
  static async open(
    source: ObjectSource,
    wanted: { readonly name: ObjectName; readonly identity: WantedObject; readonly key: Buffer | undefined },
    memory: ScrubMemory,
    control: WorkControl,
  ): Promise<ScrubSource> {
    const { name, identity, key } = wanted;
    const ends = await readAgain(() => readObjectEnds(source, name, identity, key));
    return new ScrubSource(source, name, ends, memory, control);
  }

  /** Those that lie behind each other come with one request; what is wrong in it comes behind the others of it. */
  async *parts(wanted: readonly WantedPart[]): AsyncGenerator<[WantedPart, FoundContent], void> {
    for (let first = 0; first < wanted.length; ) {
      const row = this.#rowFrom(wanted, first);
      const doubtful: WantedPart[] = [];
      const readBytes = await this.#read(row);
      for (const part of row) {
        const start = part.offset - (row[0] as WantedPart).offset;
        const found = readBytes === undefined ? notGiven : this.#unpacked(part, start, readBytes);
        if ("content" in found) yield [part, found];
        else doubtful.push(part);
      }
      for (const part of doubtful) yield [part, await this.#alone(part)];
      first += row.length;
    }
  }

  #rowFrom(wanted: readonly WantedPart[], first: number): WantedPart[] {
    const row = [wanted[first] as WantedPart];
    let end = endOf(row[0] as WantedPart);
    for (let next = first + 1; next < wanted.length; next++) {
      const part = wanted[next] as WantedPart;
      const isNext = part.offset === end && this.#canLie(part);
      if (!isNext || endOf(part) - (row[0] as WantedPart).offset > scrubReadBytes) break;
      row.push(part);
      end = endOf(part);
    }
    return row;
  }

  /** What says where parts lie was written down too, and may be wrong. */
  #canLie({ offset, storedBytes }: WantedPart): boolean {
    const { footer } = this.ends;
    const isWithin = offset >= objectHeaderBytes && offset + storedBytes <= footer.tableAt + footer.tableBytes;
    return isWithin && storedBytes >= partHeaderBytes && storedBytes <= partStoredBytesMax;
  }

  /** Undefined: the disk does not give it. */
  async #read(row: readonly WantedPart[]): Promise<number | undefined> {
    const first = row[0] as WantedPart;
    if (!this.#canLie(first)) return undefined;
    const byteLength = endOf(row.at(-1) as WantedPart) - first.offset;
    await this.#control.pace(byteLength);
    try {
      return await this.#source.read(this.name, this.#memory.stored.subarray(0, byteLength), first.offset);
    } catch (error) {
      if (error instanceof StopError) return undefined;
      throw error;
    }
  }

  /** Whoever was asked may have answered something else than he has. */
  async #alone(part: WantedPart): Promise<FoundContent> {
    if (!this.#canLie(part)) return { finding: "it cannot lie there" };
    const readBytes = await this.#read([part]);
    return readBytes === undefined ? notGiven : this.#unpacked(part, 0, readBytes);
  }

  #unpacked(part: WantedPart, start: number, readBytes: number): FoundContent {
    const { codec } = this.ends;
    const { stored, content } = this.#memory;
    const end = Math.min(start + part.storedBytes, readBytes);
    const found: number | PartFinding =
      codec.findingOf(part, stored, start, end) ?? codec.unpack(part.offset, stored, start, content, 0);
    return typeof found === "string" ? { finding: found } : { content: content.subarray(0, found) };
  }
}

function endOf({ offset, storedBytes }: WantedPart): number {
  return offset + storedBytes;
}
