/** What a point is restored to, opened: a file that is made for it, or a file, a block device or an export that is there. */
import { RefuseError } from "#src/core/errors.ts";
import type { Extent } from "#src/host/block-device.ts";
import type { Machine } from "#src/host/machine.ts";
import { whenDone } from "#src/host/when-done.ts";
import type { Source } from "#src/interceptor/source.ts";
import { readsZeros } from "#src/interceptor/source-zeros.ts";
import { isNbdUri } from "#src/nbd/uri.ts";
import type { RestoreTarget } from "#src/synth/restore-target.ts";
import type { RestoreRequest } from "./restore.ts";
import { lookAtPath } from "./source-fit.ts";
import { createSource, openSource } from "./volume-source.ts";

export interface WantedPlace {
  readonly target: string;
  /** Of the point. */
  readonly sizeBytes: number;
  /** What it holds may go. */
  readonly mayOverwrite: boolean;
  /** Told how an export that holds something describes itself. Throws a `RefuseError` for one that is not to be written to. */
  readonly accept?: (description: string) => Promise<void>;
}

/** `isBegun`: it is noted that this very restore has written there, which looks itself whether that is what lies there. */
export function wantedPlace(
  { target, mayOverwrite, goesOn }: Pick<RestoreRequest, "target" | "mayOverwrite" | "goesOn">,
  { sizeBytes, accept }: Required<Pick<WantedPlace, "sizeBytes" | "accept">>,
  isBegun: boolean,
): WantedPlace {
  const wanted = { target, sizeBytes, mayOverwrite: mayOverwrite || isBegun };
  // Of what this job has written itself there is no mark: what was there before had one when it began.
  return isBegun && goesOn !== true ? wanted : { ...wanted, accept };
}

export interface RestorePlace {
  readonly target: RestoreTarget;
  /** It reads as zeros. */
  readonly isClear: boolean;
}

/** Throws a `RefuseError` in words: too small, in use, or it holds something that may not go. */
export async function openPlace(machine: Machine, wanted: WantedPlace): Promise<RestorePlace> {
  const { target: path, sizeBytes, mayOverwrite, accept } = wanted;
  const isPath = !isNbdUri(path);
  const isNew = isPath && path.startsWith("/") && !machine.files.exists(path);
  if (isNew) await createSource(machine, path, sizeBytes);
  const source = await openSource(machine, path);
  try {
    await checkSize(machine, source, wanted, isPath);
    const isClear = isNew || (await readsZeros(source, 0));
    if (!isClear && !mayOverwrite) {
      throw new RefuseError(`${path} holds something: --overwrite says that it may go, or name another target`);
    }
    if (!isClear && source.description !== undefined) await accept?.(source.description);
    return { target: new SourceTarget(source), isClear };
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function checkSize(machine: Machine, source: Source, { target, sizeBytes }: WantedPlace, isPath: boolean) {
  const isFile = isPath && lookAtPath(machine, target).kind === "file";
  if (source.sizeBytes === sizeBytes || (source.sizeBytes > sizeBytes && !isFile)) return;
  throw new RefuseError(`${target} has ${source.sizeBytes} bytes, and the volume had ${sizeBytes} at that point`);
}

/** A source, as whoever restores writes to it. */
export class SourceTarget implements RestoreTarget {
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  get sizeBytes(): number {
    return this.#source.sizeBytes;
  }

  read(buffer: Buffer, start: number, lengthBytes: number, position: number): Promise<void> {
    return whenDone((done) => this.#source.read(buffer, start, lengthBytes, position, done));
  }

  write(buffer: Buffer, start: number, lengthBytes: number, position: number): Promise<void> {
    return whenDone((done) => this.#source.write(buffer, start, lengthBytes, position, done));
  }

  clear(position: number, lengthBytes: number): Promise<void> {
    return whenDone((done) => this.#source.clear(position, lengthBytes, false, done));
  }

  async zerosFrom(position: number, lengthBytes: number): Promise<number> {
    const runs = await new Promise<readonly Extent[]>((resolve, reject) => {
      this.#source.extents(position, lengthBytes, 1, (error, found) =>
        error === null ? resolve(found) : reject(error),
      );
    });
    const [first] = runs;
    return first?.zero === true ? first.lengthBytes : 0;
  }

  sync(): Promise<void> {
    return whenDone((done) => this.#source.sync(done));
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}
