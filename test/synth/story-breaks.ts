/** Mistakes that lose blocks of points which are kept, or give wrong ones. Each is one that a review could miss. */
import type { Break } from "#test/sites/breaks/break.ts";
import { collectByPlan } from "#test/sites/breaks/work-breaks.ts";

export const storyBreaks: readonly Break[] = [
  collectByPlan,
  {
    name: "collect a segment that not all records are sealed of",
    harm: "records that are sealed later point to nothing",
    changes: [
      {
        file: "src/synth/live-history.ts",
        from: "      if (segment < (newest.get(journal) ?? 0) || lastSeq <= (storedSeqs.get(group) ?? 0)) settled.add(segment);\n",
        to: "      settled.add(segment);\n",
      },
    ],
  },
  {
    name: "let pieces go before the base is there",
    harm: "a crash in between leaves a history without its beginning",
    changes: [
      {
        file: "src/synth/group-history.ts",
        from: "    let document = { ...found.document, trustedMicros };\n",
        to: `    await this.#pieces.remove(plan, control);
    let document = { ...found.document, trustedMicros };
`,
      },
    ],
  },
  {
    name: "let a folded piece take the place of points that a view holds",
    harm: "what somebody looks at is gone while he does",
    changes: [
      {
        file: "src/synth/ageing-plan.ts",
        from: '  return keeps === "history" && seq < lastSeq;\n',
        to: '  return keeps === "history" && seq > lastSeq;\n',
      },
    ],
  },
  {
    name: "fold over points whose snapshots somebody has asked for",
    harm: "they are none any more, and lose their blocks",
    changes: [
      {
        file: "src/synth/kept-snapshots.ts",
        from: "  return [basedOn, ...asked, ...pins.map(({ seq }) => seq)];\n",
        to: "  return asked.length < 0 ? [] : [basedOn, ...pins.map(({ seq }) => seq)];\n",
      },
    ],
  },
  {
    name: "leave the last write of an interval out of what it is folded to",
    harm: "the points that are left are of before it",
    changes: [
      {
        file: "src/journals/record-fold.ts",
        from: "    for (const change of this.#changes) touches.add(change);\n",
        to: "    for (const change of this.#changes.slice(0, -1)) touches.add(change);\n",
      },
    ],
  },
  {
    name: "offer a snapshot as a point that lies within an interval which was folded",
    harm: "blocks of it are gone that no point needs",
    changes: [
      {
        file: "src/synth/group-snapshots.ts",
        from: "    return folded === undefined ? true : await this.#pieces.isPointOf(folded, seq);\n",
        to: "    return folded === undefined ? true : true;\n",
      },
    ],
  },
  {
    name: "let a snapshot go that later ones point into",
    harm: "what they share with it is lost to them",
    changes: [
      {
        file: "src/synth/kept-snapshots.ts",
        from: "  const needed = new Set(kept.flatMap(({ seq, sourceSeqs }) => [seq, ...sourceSeqs]));\n",
        to: "  const needed = new Set(kept.flatMap(({ seq, sourceSeqs }) => [seq, ...sourceSeqs.slice(1)]));\n",
      },
    ],
  },
];
