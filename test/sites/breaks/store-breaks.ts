/** Mistakes around the remote's store. */
import type { Break } from "./break.ts";

export const storeBreaks: readonly Break[] = [
  {
    name: "tell of an object before its name is durable",
    harm: "a power cut takes what was said to be stored, and the journal's files are gone",
    changes: [
      {
        file: "src/store/folder-objects.ts",
        from: `    this.#unsettled.add(name);
    await this.#folders.keepNames(path);
    this.#unsettled.delete(name);
`,
        to: "    void this.#folders.keepNames(path).catch(() => {});\n",
      },
    ],
  },
  {
    name: "remove a journal's files before the store has them",
    harm: "a process that dies at the wrong moment takes a segment with it",
    changes: [
      {
        file: "src/appliance/remote/group-sealing.ts",
        from: "      await this.#unlessStopped(sealer.seal({ group, folder: folder.path, segment }));\n",
        to: "      await this.#unlessStopped(sealer.seal({ group, folder: folder.path, segment })).catch(() => {});\n",
      },
    ],
  },
  {
    name: "call records stored before their payload is",
    harm: "losing all but the objects leaves records that point to nothing",
    changes: [
      {
        file: "src/appliance/remote/group-sealing.ts",
        from: "    const hasRecords = Math.min(this.#storableSeq, this.#durableSeq) > this.#storedSeq;\n",
        to: `    this.#storableSeq = this.#durableSeq;
    const hasRecords = this.#durableSeq > this.#storedSeq;
`,
      },
      {
        file: "src/journals/sealed-journals.ts",
        from: "    const assertWhole = () => this.#assertWhole();\n",
        to: "    const assertWhole = async () => void this.#assertWhole;\n",
      },
    ],
  },
  {
    name: "forward to a segment that is not published",
    harm: "a block leads to where none is, if that segment never gets there",
    changes: [
      {
        file: "src/store/segment-store.ts",
        from: "      const kindNumbers = encodeSegmentCounts(counts);\n",
        to: `      await index.add(identity, this.#keptNow(source.segment));
      const kindNumbers = encodeSegmentCounts(counts);
`,
      },
      {
        file: "src/store/verified-index.ts",
        from: "      if (isFit && (await isThere(cursor, address, fingerprints, index * fingerprintBytes))) continue;\n",
        to: "      if (isFit) continue;\n",
      },
    ],
  },
];
