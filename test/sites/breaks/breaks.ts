/** Mistakes that a program of this kind may make. Each is one that a review could miss. */
import type { Break } from "./break.ts";
import { storeBreaks } from "./store-breaks.ts";
import { workBreaks } from "./work-breaks.ts";

export const breaks: readonly Break[] = [
  {
    name: "skip the spool's sync on FLUSH",
    harm: "a power cut takes what a FLUSH has promised from the spool",
    changes: [
      {
        file: "src/appliance/local/group-flushes.ts",
        from: `    spool.sync((error) => {
      if (error === null) this.#waits.spoolDurable(spool.durableSeq);
      else failed(error);
    });
`,
        to: `    if (failed !== undefined) this.#waits.spoolDurable(spool.lastSeq);
`,
      },
    ],
  },
  {
    name: "reply before the remote's acknowledgement in sync",
    harm: "losing the source's site loses writes that were replied to",
    changes: [
      {
        file: "src/appliance/local/local-group.ts",
        from: "    const needsRemote = this.#mode.waitsForRemote;\n",
        to: "    const needsRemote = false;\n",
      },
    ],
  },
  {
    name: "redo out of order",
    harm: "after a crash the source has an older write over a newer one",
    changes: [
      {
        file: "src/appliance/local/attachment.ts",
        from: `    return isWanted && blockCount > 0 ? receiver.redo({ ...record, blockCount, buffer }) : undefined;
  });
`,
        to: `    if (isWanted && blockCount > 0) wanted.push({ ...record, blockCount, buffer: Buffer.from(buffer) });
  });
  for (const record of wanted.reverse()) await receiver.redo(record);
`,
      },
      {
        file: "src/appliance/local/attachment.ts",
        from: "  await group.spool.scan(0, (record, buffer) => {\n",
        to: '  const wanted: Parameters<VolumeReceiver["redo"]>[0][] = [];\n  await group.spool.scan(0, (record, buffer) => {\n',
      },
      {
        file: "src/interceptor/redo.ts",
        from: "    if (ordinal <= this.#lastOrdinal) {\n",
        to: "    if (ordinal < 0) {\n",
      },
    ],
  },
  {
    name: "accept a gap at the receiver",
    harm: "the remote misses writes, and nobody knows (a sender that skips is part of the break)",
    changes: [
      {
        file: "src/appliance/remote/receiver.ts",
        from: `    if (batch.firstSeq > received + 1) this.#refuseGap(batch);
    return Math.max(0, received + 1 - batch.firstSeq);
`,
        to: "    return Math.max(0, received + 1 - batch.firstSeq);\n",
      },
      {
        file: "src/appliance/local/spool-reader.ts",
        from: "    const left = segment.endOffset - offset;\n",
        to: "    const left = Math.min(roomBytes, segment.endOffset - offset);\n",
      },
    ],
  },
  {
    name: "reuse a seq after power loss",
    harm: "two writes have one number, and the remote keeps the wrong one",
    changes: [
      {
        file: "src/appliance/local/group-start.ts",
        from: "    const epochSeq = Math.max(state.seqCeiling, lastSeq) + 1;\n",
        to: "    const epochSeq = lastSeq + 1;\n",
      },
    ],
  },
  {
    name: "take damage for a tail",
    harm: "one wrong bit silently cuts off all that was written after it",
    changes: [
      {
        file: "src/records/log-recovery-table.ts",
        from: `evidence: ["claimed", "known"], decision: "damage" }`,
        to: `evidence: ["claimed", "known"], decision: "tail" }`,
      },
    ],
  },
  {
    name: "trust `received` over a remote restart",
    harm: "what the remote lost with its power is never sent again",
    changes: [
      {
        file: "src/appliance/local/local-group.ts",
        from: "    this.#remote.welcomed(welcome);\n",
        to: `    welcome = { ...welcome, received: Math.max(welcome.received, this.#remote.marks.received) };
    this.#remote.welcomed(welcome);
`,
      },
    ],
  },
  {
    name: "apply an aggregate in two steps",
    harm: "losing the source's site while an aggregate is under way leaves a state that the volume never had",
    changes: [
      {
        file: "src/appliance/local/aggregate-sender.ts",
        from: `    if (this.#slotCount === this.#sorted.length && this.#rangeCount === ranges.length && builder.hasRoomFor(0)) {
      builder.addCommit(figures);
      this.#isComplete = true;
    }
`,
        to: `    if (builder.hasRoomFor(0)) {
      builder.addCommit(figures);
      this.#isComplete = this.#slotCount === this.#sorted.length && this.#rangeCount === ranges.length;
    }
`,
      },
    ],
  },
  {
    name: "clear a region's mark early",
    knownSeed: 418,
    harm: "after a loss of power nobody knows that source and journal differ there",
    changes: [
      {
        file: "src/interceptor/region-map.ts",
        from: "      const kept = (this.#marked[index] as number) & (written | (this.#pinned[index] as number));\n",
        to: "      const kept = (this.#marked[index] as number) & (this.#pinned[index] as number) & ~(written & 0);\n",
      },
      {
        file: "src/interceptor/region-map.ts",
        from: `      assert(has(this.#durable, region), "a region is marked before records of it are made");
`,
        to: "",
      },
      // Often enough for some to be in the middle of work.
      {
        file: "src/core/limits.ts",
        from: "export const checkpointMsDefault = 30_000;",
        to: "export const checkpointMsDefault = 20;",
      },
    ],
  },
  {
    name: "set a mark inside a copy",
    harm: "a point is offered at which the volume is half old and half new",
    changes: [
      {
        file: "src/appliance/local/group-marks.ts",
        from: "    if (resyncing !== undefined)\n",
        to: "    if (resyncing === missing && resyncing !== undefined)\n",
      },
    ],
  },
  {
    name: "fold across a mark",
    harm: "a mark is gone from the remote's order, and what it stood for cannot be opened",
    changes: [
      {
        file: "src/appliance/local/batch-heads.ts",
        from: "    else if (type !== recordType.flush) isFoldable = false;\n",
        to: "    else if (type !== recordType.flush && type !== recordType.mark) isFoldable = false;\n",
      },
      {
        file: "src/appliance/local/batch-heads.ts",
        from: "    if (type !== recordType.flush) {\n",
        to: "    if (type !== recordType.flush && type !== recordType.mark) {\n",
      },
    ],
  },
  {
    name: "leave zeros out of every copy",
    harm: "what a source lost while nobody looked is still there in the copy",
    changes: [
      {
        file: "src/interceptor/source-copy.ts",
        from: `(base === "complete" ? "resync" : "initial", !resyncWanted);`,
        to: `(base === "complete" ? "resync" : "initial", !resyncWanted || base === "complete");`,
      },
    ],
  },
  {
    name: "pass over an order to copy while another copy is under way",
    knownSeed: 378,
    harm: "somebody who put a source back is told that it is copied, and only a part of it is",
    changes: [
      { file: "src/interceptor/write-path.ts", from: "    this.#copy.supersede();\n", to: "" },
      {
        file: "src/interceptor/write-path.ts",
        from: "if (isUp && this.#copy.isSuperseded)",
        to: "if (isUp && this.#copy.progress === undefined)",
      },
    ],
  },
  {
    name: "clear a region's mark before the remote has it",
    knownSeed: 478,
    harm: "losing a spool leaves a remote that differs from the source, and nobody knows where",
    changes: [
      {
        file: "src/interceptor/checkpoints.ts",
        from: "    if (interval === undefined || link === undefined || link.remoteOrdinal < interval.ordinal) return false;\n",
        to: "    if (interval === undefined || link === undefined) return false;\n",
      },
      // Often enough for some to come before the remote.
      {
        file: "src/core/limits.ts",
        from: "export const checkpointMsDefault = 30_000;",
        to: "export const checkpointMsDefault = 20;",
      },
    ],
  },
  ...storeBreaks,
  ...workBreaks,
];
