/** Those of `core-breaks.ts` that are about journals, history and points. */
import type { CoreBreak } from "./core-breaks.ts";

const pieces = { file: "src/journals/pieces-in-force.ts" };
const chain = { file: "src/journals/sealed-piece-chain.ts" };
const retention = { file: "src/synth/retention-plan.ts" };
const time = { file: "src/synth/trusted-time.ts" };
const bisection = { file: "src/synth/bisection.ts" };

const journalBreaks: readonly CoreBreak[] = [
  {
    name: "count a piece that a folded one stands for",
    harm: "records come back that were folded, and blocks that have gone are wanted",
    tests: ["journals/pieces-in-force"],
    changes: [{ ...pieces, from: "if (!isReplaced) foldedUpTo", to: "if (isReplaced) foldedUpTo" }],
  },
  {
    name: "prefer what was folded less",
    harm: "points that were let go of are listed, and cannot be opened",
    tests: ["journals/pieces-in-force"],
    changes: [{ ...pieces, from: "generationOf(b) - generationOf(a)", to: "generationOf(a) - generationOf(b)" }],
  },
  {
    name: "take a piece that was sealed behind another one of the same records",
    harm: "half of an old history passes for the end of a new one",
    tests: ["journals/sealed-piece-chain", "journals/store-verification"],
    changes: [
      {
        ...chain,
        from: 'if (!previous.hash.equals(hash)) return "it was sealed behind another one of the same records";',
        to: "",
      },
    ],
  },
  {
    name: "take a gap between pieces for none",
    harm: "writes are missing from all points behind it, and nobody is told",
    tests: ["journals/sealed-piece-chain"],
    changes: [
      {
        ...chain,
        from: "piece.identity.firstSeq === lastSeq + 1 && firstEpoch === lastEpoch",
        to: "piece.identity.firstSeq > lastSeq",
      },
    ],
  },
  {
    name: "give out a block whose sum does not fit",
    harm: "wrong bytes of an open journal pass for what a host wrote",
    tests: ["journals/data-journal", "journals/bit-flips", "synth/point-blocks"],
    changes: [
      {
        file: "src/journals/segment-reader.ts",
        from: "if (damaged.length > 0) throw",
        to: "if (damaged.length > 1e9) throw",
      },
    ],
  },
];

const keepingBreaks: readonly CoreBreak[] = [
  {
    name: "let pieces go that a pin holds",
    harm: "a point that somebody has set a mark on is gone",
    tests: ["synth/retention-plan"],
    changes: [{ ...retention, from: "if (heldBy !== undefined) return { cut, heldBy };", to: "" }],
  },
  {
    name: "let a piece go by when it began",
    harm: "what is younger than what is to be kept is gone",
    tests: ["synth/retention-plan"],
    changes: [
      { ...retention, from: "piece.latestMicros <= horizonMicros", to: "piece.earliestMicros <= horizonMicros" },
    ],
  },
  {
    name: "let history go although clocks disagree",
    harm: "a clock that somebody has set deletes history",
    tests: ["synth/retention-plan"],
    changes: [{ ...retention, from: "isByAge ? time.alarm : undefined", to: "undefined" }],
  },
  {
    name: "begin a history with a snapshot that is no point",
    harm: "the first point of a history lacks blocks",
    tests: ["synth/retention-plan"],
    changes: [{ ...retention, from: "isPoint && seq >= history.basedOn", to: "seq >= history.basedOn" }],
  },
  {
    name: "believe the clock of the machine",
    harm: "one that jumps ahead ages a history by years",
    tests: ["synth/trusted-time"],
    changes: [{ ...time, from: "Math.min(wallMicros, Math.max(passed, newestRecordMicros))", to: "wallMicros" }],
  },
  {
    name: "let time go back",
    harm: "what is kept depends on which process looks",
    tests: ["synth/trusted-time"],
    changes: [
      {
        ...time,
        from: "Math.max(known, Math.min(wallMicros, Math.max(passed, newestRecordMicros)))",
        to: "Math.min(wallMicros, Math.max(passed, newestRecordMicros))",
      },
    ],
  },
  {
    name: "keep snapshots of records that a history has lost",
    harm: "they pass for points of the records that get the same numbers next",
    tests: ["synth/history-cut"],
    changes: [
      {
        file: "src/synth/history-cut.ts",
        from: "  for (const seq of behind.reverse()) await",
        to: "  for (const seq of behind.slice(1).reverse()) await",
      },
    ],
  },
];

const pointBreaks: readonly CoreBreak[] = [
  {
    name: "offer as durable what is only written",
    harm: "a point is opened that a cut of the power takes back",
    tests: ["synth/group-points", "synth/open-tail"],
    changes: [
      {
        file: "src/synth/point-search.ts",
        from: "Math.min(tail.durableSeq, tail.seenSeq)",
        to: "tail.seenSeq",
      },
    ],
  },
  {
    name: "leave out a point of a bisection",
    harm: "the wrong write is blamed",
    tests: ["synth/bisection"],
    changes: [{ ...bisection, from: "      this.#badSeq = pointSeq;\n", to: "      this.#badSeq = pointSeq - 1;\n" }],
  },
  {
    name: "keep what lies in a region that was cleared in a view",
    harm: "what was trimmed in a writable view comes back",
    tests: ["synth/overlay-map", "synth/view-content"],
    changes: [
      {
        file: "src/synth/overlay-map.ts",
        from: "    if (this.#counts[region] !== 0) this.#takeOut(region, region * viewRegionBlocks, (region + 1) * viewRegionBlocks);\n",
        to: "",
      },
    ],
  },
];

export const historyCoreBreaks: readonly CoreBreak[] = [...journalBreaks, ...keepingBreaks, ...pointBreaks];
