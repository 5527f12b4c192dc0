/** Mistakes of what is done over a store that is in use: collection, retention, scrub, and letting go of own journals. */
import type { Break } from "./break.ts";

export const collectByPlan: Break = {
  name: "collect by what was marked for the plan",
  knownSeed: 969,
  harm: "what came to be needed between plan and run is lost",
  changes: [
    {
      file: "src/store/collection.ts",
      from: `    } finally {
      live.close();
    }
`,
      to: `    } finally {
      (this as unknown as { kept: LiveSlots }).kept = live;
    }
`,
    },
    {
      file: "src/store/collection.ts",
      from: "    const findLive = (work: WorkControl): Promise<LiveSlots> => this.#findLive(work);\n",
      to: `    const { kept } = this as unknown as { kept: LiveSlots | undefined };
    const findLive = async (work: WorkControl): Promise<LiveSlots> => kept ?? (await this.#findLive(work));
`,
    },
    {
      file: "src/store/verified-index.ts",
      from: "      const isFit = !this.#damaged.has(address) && !this.#dying.has(address);\n",
      to: "      const isFit = !this.#damaged.has(address);\n",
    },
  ],
};

export const workBreaks: readonly Break[] = [
  {
    name: "collect a block that a forward still needs",
    harm: "what was written twice is lost when its first copy expires",
    changes: [
      {
        file: "src/store/live-slots.ts",
        from: "    if (slots.has(segment, firstSlot + start / slotEntryBytes)) marks.mark(forwardAt(entries, start), 1);\n",
        to: "    if (slots.has(segment, firstSlot + start / slotEntryBytes) && start < 0) marks.mark(forwardAt(entries, start), 1);\n",
      },
    ],
  },
  collectByPlan,
  {
    name: "delete the old generation before the new name is durable",
    knownSeed: 262,
    harm: "a power cut leaves neither of them",
    changes: [
      {
        file: "src/store/folder-objects.ts",
        from: `    await this.#folders.keepNames(path);
    this.#unsettled.delete(name);
`,
        to: `    const isKept = this.#folders.keepNames(path);
    if (/^segments.*[.]0000$/.test(name) || !name.startsWith("segments")) await isKept;
    else void isKept.catch(() => {});
    this.#unsettled.delete(name);
`,
      },
    ],
  },
  {
    name: "let retention go beyond the base",
    harm: "the first records behind the point that a history begins with are gone",
    changes: [
      {
        file: "src/synth/retention-plan.ts",
        from: "    return lastSeq <= baseSeq ? [",
        to: "    return firstSeq <= baseSeq + 1 && baseSeq > 0 ? [",
      },
    ],
  },
  {
    name: "take any bit for the one that was turned",
    harm: "a scrub makes one wrong bit two, and calls that sound",
    changes: [
      {
        file: "src/store/repair-bits.ts",
        from: "    if (isSound()) return bit;\n",
        to: "    if (isSound() || bit > 80) return bit;\n",
      },
    ],
  },
  {
    name: "remove own journals before that is noted",
    harm: "a power cut leaves journals that begin with a gap, and nobody knows that they do",
    changes: [
      {
        file: "src/appliance/remote/journal-removal.ts",
        from: `      await this.#noteRemoval(storedSeq);
      await this.#removeNoted();
`,
        to: `      await this.#removeNoted(storedSeq);
      await this.#noteRemoval(storedSeq);
`,
      },
      {
        file: "src/appliance/remote/journal-removal.ts",
        from: "  async #removeNoted(): Promise<void> {\n",
        to: "  async #removeNoted(storedSeq: number): Promise<void> {\n",
      },
      {
        file: "src/appliance/remote/journal-removal.ts",
        from: "    const noted = piecesUpTo({ files, folder, identity }, state.state.journalStart.seq);\n",
        to: `    const goneSeq = this.#parts.keptBytes > 0 ? state.state.journalStart.seq : storedSeq;
    const noted = piecesUpTo({ files, folder, identity }, goneSeq);
`,
      },
    ],
  },
];
