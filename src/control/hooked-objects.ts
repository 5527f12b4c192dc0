/**
 * Objects of a store where faults can be ordered for the works that nobody waits for: before a snapshot, or a piece that was folded,
 * has its name, when all of it is written; when it has it, and nobody was told; and before anything is removed.
 */
import type { FaultHook } from "#src/host/faults.ts";
import { sealedPieceOfName } from "#src/journals/sealed-piece-format.ts";
import type { ObjectName, Objects, ObjectWriter } from "#src/store/objects.ts";
import { snapshotOfName } from "#src/synth/snapshot-format.ts";

/** Where none were ordered they stay as they are. */
export function hookedObjects(objects: Objects, hook: FaultHook | undefined): Objects {
  if (hook === undefined) return objects;
  return {
    create: (name, reserve) => {
      const work = workThatMakes(name);
      const writer = objects.create(name, reserve);
      return work === undefined ? writer : hookedWriter(writer, work, hook);
    },
    remove: async (name) => {
      hook("store.before-removal");
      await objects.remove(name);
    },
    restore: (name) => objects.restore(name),
    read: (name, target, position) => objects.read(name, target, position),
    readNow: (name, target, byteLength, position) => objects.readNow?.(name, target, byteLength, position),
    sizeBytes: (name) => objects.sizeBytes(name),
    list: (prefix) => objects.list(prefix),
    readDocument: (name) => objects.readDocument(name),
    changeDocument: (name, bytes, version) => objects.changeDocument(name, bytes, version),
    close: () => objects.close(),
  };
}

function workThatMakes(name: ObjectName): "snapshot" | "fold" | undefined {
  if (snapshotOfName(name) !== undefined) return "snapshot";
  return sealedPieceOfName(name)?.folded === undefined ? undefined : "fold";
}

function hookedWriter(writer: ObjectWriter, work: string, hook: FaultHook): ObjectWriter {
  return {
    get writtenBytes() {
      return writer.writtenBytes;
    },
    write: (bytes) => writer.write(bytes),
    finish: async () => {
      hook(`store.before-${work}`);
      await writer.finish();
      hook(`store.after-${work}`);
    },
    abandon: () => writer.abandon(),
  };
}
