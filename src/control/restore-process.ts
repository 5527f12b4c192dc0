/**
 * The process that carries out one restore. It reads the store and the journals as they are, and writes to the target alone and to
 * what it notes of itself; so whatever becomes of it, nobody's protection depends on it, and another one goes on.
 */
import { join } from "node:path";
import { isOwnFault } from "#src/core/assert.ts";
import { putLe64 } from "#src/core/little-endian.ts";
import { restoreNewsMs } from "#src/core/restore-limits.ts";
import { checksumBytes, putChecksum } from "#src/host/checksum.ts";
import type { Machine } from "#src/host/machine.ts";
import type { MessageLine } from "#src/host/thread.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { CancelledError, type WorkControl, type WorkProgress } from "#src/store/work-control.ts";
import { LostSync, lostSyncName } from "#src/synth/lost-sync.ts";
import type { PointImage } from "#src/synth/point-image.ts";
import { Restore, type RestoreOutcome, stretchesOf } from "#src/synth/restore.ts";
import type { ReadImage } from "#src/synth/restore-piece.ts";
import { RestoreSums, restoreIdentityBytes } from "#src/synth/restore-sums.ts";
import { ViewContent } from "#src/synth/view-content.ts";
import { ViewOverlay } from "#src/synth/view-overlay.ts";
import { PointReaders } from "./point-readers.ts";
import type { RestoreRequest } from "./restore.ts";
import { restoreLive } from "./restore-live.ts";
import { demandMark, isItself } from "./restore-mark.ts";
import { openPlace, type WantedPlace, wantedPlace } from "./restore-place.ts";
import type { RestoreNews, RestoreOrderWord, RestoreSettings } from "./restore-words.ts";
import { sideMachine } from "./side-machine.ts";
import { sentError } from "./store-errors.ts";
import type { WorkResult } from "./store-work.ts";

export function runThread(line: MessageLine, settings: RestoreSettings): void {
  const machine = sideMachine(settings.config, "restore");
  const say = (news: RestoreNews) => line.send(news);
  const control = new RestoreControl(machine, () => say({ asks: "durable" }));
  line.receive((word) => control.told(word as RestoreOrderWord));
  const tell = () => {
    say({ news: control.news });
    machine.clock.timer(restoreNewsMs, tell);
  };
  tell();
  restore(machine, settings, control).then(
    (result) => say({ result }),
    (error) => {
      // A fault of this program is no answer: the process ends with it.
      if (isOwnFault(error)) throw error;
      say({ error: sentError(error) });
    },
  );
}

class RestoreControl implements WorkControl {
  readonly #machine: Pick<Machine, "clock">;
  readonly #askDurable: () => void;
  #durable: PromiseWithResolvers<number> | undefined;
  #progress: WorkProgress | undefined;
  #pacedBytes = 0;
  isCancelled = false;

  constructor(machine: Pick<Machine, "clock">, askDurable: () => void) {
    this.#machine = machine;
    this.#askDurable = askDurable;
  }

  get news() {
    return { progress: this.#progress, pacedBytes: this.#pacedBytes };
  }

  told(word: RestoreOrderWord): void {
    if (word === "end") {
      this.isCancelled = true;
      this.#durable?.reject(new CancelledError());
    } else this.#durable?.resolve(word.durableSeq);
  }

  /** With all that was written to the volume until now. */
  durableSeq(): Promise<number> {
    this.throwIfCancelled();
    this.#durable = Promise.withResolvers();
    this.#askDurable();
    return this.#durable.promise;
  }

  throwIfCancelled(): void {
    if (this.isCancelled) throw new CancelledError();
  }

  progress(progress: WorkProgress): void {
    this.#progress = progress;
  }

  /** Nothing has to be waited for, but messages have to come through. */
  async pace(byteLength: number): Promise<void> {
    this.#pacedBytes += byteLength;
    await new Promise<void>((resolve) => this.#machine.clock.soon(resolve));
    this.throwIfCancelled();
  }
}

async function restore(machine: Machine, settings: RestoreSettings, control: RestoreControl): Promise<WorkResult> {
  const { request, groupName, durableSeq } = settings;
  const { group } = request;
  const readers = new PointReaders(machine, settings);
  try {
    const points = await readers.of(group, durableSeq);
    const pointsNow = async () => readers.of(group, await control.durableSeq());
    const accept = async (description: string) => {
      if (isItself(request, groupName, description)) {
        await demandMark(request, { clock: machine.clock, points: pointsNow });
      }
    };
    const image = await points.open(request.number, request.seq);
    // What is found when it is copied is told byte by byte.
    const { findings } = image;
    try {
      const outcome =
        request.fromSeq === undefined
          ? await restoreContent(machine, settings, { image, control, accept })
          : await restoreLive(machine, request, { points: pointsNow, image, control });
      return {
        isSound: outcome.findings.length === 0,
        figures: { ...outcome.figures },
        lines: [...findings, ...outcome.findings],
      };
    } finally {
      image.close();
    }
  } finally {
    await readers.close();
  }
}

interface ContentParts<Image extends ReadImage> {
  readonly image: Image;
  readonly control: RestoreControl;
  readonly accept: NonNullable<WantedPlace["accept"]>;
}

/** Of the point, or of a view of it. */
async function restoreContent(
  machine: Machine,
  settings: RestoreSettings,
  parts: ContentParts<PointImage>,
): Promise<RestoreOutcome> {
  const { request, viewsFolder } = settings;
  if (request.view?.isWritable !== true) return restoreWhole(machine, settings, parts);
  const { id, incarnation } = request.view;
  const { files, clock } = machine;
  const folder = join(viewsFolder, id);
  const lostSync = LostSync.open(machine, join(folder, lostSyncName));
  const { blockCount } = parts.image;
  const identity = { group: id, incarnation };
  const overlay = await ViewOverlay.open({
    ...{ files, clock, folder: new JournalFolder(folder), identity, blockCount, lostSync },
  });
  try {
    return await restoreWhole(machine, settings, { ...parts, image: new ViewContent(parts.image, overlay) });
  } finally {
    await overlay.close();
  }
}

async function restoreWhole(
  machine: Machine,
  { request, sumsPath }: RestoreSettings,
  { image, control, accept }: ContentParts<ReadImage>,
): Promise<RestoreOutcome> {
  const { isVerified, mayOverwrite } = request;
  const isBegun = machine.files.exists(sumsPath);
  const wanted = wantedPlace(request, { sizeBytes: image.sizeBytes, accept }, isBegun);
  const { target, isClear } = await openPlace(machine, wanted);
  try {
    const sums = RestoreSums.open(machine.files, sumsPath, identityOf(request, image), stretchesOf(image));
    try {
      return await new Restore({ image, target, sums, isClear, mayOverwrite, isVerified, control }).run();
    } finally {
      sums.close();
    }
  } finally {
    await target.close();
  }
}

function identityOf({ group, number, seq, target, view }: RestoreRequest, { sizeBytes }: ReadImage): Buffer {
  const identity = Buffer.alloc(restoreIdentityBytes);
  identity.write(group, "hex");
  putLe64(identity, restoreIdentityBytes - checksumBytes - 8, seq);
  const what = Buffer.from(
    JSON.stringify([number, sizeBytes, target, ...(view === undefined ? [] : [view.id, view.incarnation])]),
  );
  putChecksum(what, 0, what.length, identity, restoreIdentityBytes - checksumBytes);
  return identity;
}
