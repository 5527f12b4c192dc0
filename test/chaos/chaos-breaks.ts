/** Mistakes that chaos must find: each is one that something of what it judges is for, and that nothing else of it would be sure to see. */
import type { Break } from "#test/sites/breaks/break.ts";

/** Of a world in which nobody is killed. */
const steadySeed = 21;

export const chaosBreaks: readonly Break[] = [
  {
    name: "drop a record at the remote",
    harm: "points hold zeros where something was written",
    changes: [
      {
        file: "src/appliance/remote/landing.ts",
        from: "      this.#metadata.add({ ...record, address, level: levelOf(record.volume) }, bytes, record.extraAt);\n",
        to: `      const lost = record.type === recordType.write && record.seq % 499 === 0;
      const kept = lost ? { ...record, type: recordType.zero, address: 0 } : { ...record, address };
      this.#metadata.add({ ...kept, level: levelOf(record.volume) }, bytes, record.extraAt);
`,
      },
    ],
  },
  {
    name: "leak a descriptor for each connection",
    harm: "after some weeks nobody is let in any more",
    knownSeed: steadySeed,
    changes: [
      {
        file: "src/host/node/sockets.ts",
        from: "    accepted(connectionOf(socket));\n",
        to: '    fs.openSync("/dev/null", "r");\n    accepted(connectionOf(socket));\n',
      },
    ],
  },
  {
    name: "keep a little of what has landed",
    harm: "the remote appliance grows until the system ends it",
    knownSeed: steadySeed,
    changes: [
      {
        file: "src/appliance/remote/landing.ts",
        from: "      // The bytes are the caller's again after this.\n",
        to: "      ((globalThis as { kept?: Buffer[] }).kept ??= []).push(Buffer.alloc(2 ** 17, 1));\n",
      },
    ],
  },
  {
    name: "say that the link is up when it is not",
    harm: "nobody is told that the remote falls behind",
    changes: [
      { file: "src/control/metrics/group-metrics.ts", from: "    linkUp ? 1 : 0,\n", to: "    linkUp ? 1 : 1,\n" },
    ],
  },
  {
    name: "take a forced removal for a confirmed one",
    harm: "a slip of the hand ends the protection of a volume",
    changes: [
      {
        file: "src/control/control-plane.ts",
        from: "): Promise<VolumeRemoval> {\n    await this.volume(name);\n    if (!isConfirmed) {\n",
        to: "): Promise<VolumeRemoval> {\n    await this.volume(name);\n    if (!isConfirmed && !isForced) {\n",
      },
    ],
  },
  {
    name: "let a second process in",
    harm: "two processes damage each other's data",
    changes: [
      {
        file: "src/host/node/folder-lock.ts",
        from: "  if (result === -errorNumber.tryAgain) return false;\n",
        to: "  if (result === -errorNumber.tryAgain) return true;\n",
      },
    ],
  },
];
