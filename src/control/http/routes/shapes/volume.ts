/** Volumes, as they are answered. */
import type { VolumeReport } from "../../../control-plane.ts";
import type { CopyProgress, TraceEntry, ViewOrigin, VolumeState } from "../../../role.ts";
import { choice, count, flag, list, number, object, optional, type Schema, time, words } from "../../schema.ts";

const volumeStates = [
  ...(["open", "opening", "redoing", "stalled", "tracking", "full", "fenced", "stopped", "failed"] as const),
] as const satisfies readonly VolumeState[];

const copyProgress = object<CopyProgress>({
  kind: choice(["initial", "resync"], "initial: what it held before it was protected"),
  regionsTotal: count("regions to copy"),
  regionsDone: count("of these, copied"),
  bytesTotal: count("bytes to copy"),
  bytesDone: count("of these, copied"),
  bytesPerSecond: number("since it began, or went on after a start"),
});

const viewOrigin = object<ViewOrigin>({
  name: words("of the view that its source is a copy of"),
  opened: time("when that was opened"),
});

export const volumeReport: Schema<VolumeReport> = object<VolumeReport>(
  {
    name: words("its name"),
    group: words("the group it belongs to"),
    source: words("where its data is: a file, a block device, or an NBD URI"),
    sizeBytes: count("its size"),
    resizeTo: optional(count("what it is being resized to")),
    baseMissing: flag("what the source held before it was protected is not all in the journal yet"),
    ofView: optional(viewOrigin),
    state: choice(volumeStates, "open: hosts can write, and it is protected"),
    why: optional(words("why it is in a state other than open")),
    fencedBy: optional(choice(["group", "volume"], "volume: its source or region map, at which a person must look")),
    copy: optional(copyProgress),
    connections: count("of hosts, over NBD"),
    added: count("writes that were handed over, as an ordinal"),
    acknowledged: count("up to which the mode has acknowledged"),
    applied: count("up to which the source has them"),
    durable: count("up to which the source has them durably"),
    hostWaitSeconds: optional(count("so long nothing was done of what hosts wait for; absent: for less than a second")),
    hostWaitFor: optional(choice(["resync"], "what for, where it is no disk: flushes in sync wait for its end")),
    markedBytes: count("in regions that may differ between source, spool and remote"),
    writes: count("since the program was started"),
    writeBytes: count("since then"),
    reads: count("since then"),
    readBytes: count("since then"),
    flushes: count("since then"),
    uris: list(words("an NBD URI"), "where hosts attach it"),
  },
  "Volume",
);

const stepMicroseconds = optional(number("microseconds since the write arrived; absent: it has not come yet"));

export const traceEntry: Schema<TraceEntry> = object<TraceEntry>(
  {
    ordinal: count("of the write, in its volume"),
    seq: optional(count("of its record, in its group")),
    kind: choice(["write", "trim", "zero"], "what it does"),
    offsetBytes: count("where"),
    lengthBytes: count("how much"),
    atWallMs: number("when it arrived, in milliseconds since 1970"),
    steps: object<TraceEntry["steps"]>({
      acknowledged: stepMicroseconds,
      sourceWritten: stepMicroseconds,
      replied: stepMicroseconds,
      received: stepMicroseconds,
      durable: stepMicroseconds,
      stored: stepMicroseconds,
    }),
  },
  "TraceEntry",
);
