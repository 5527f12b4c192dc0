/** Files of spools and journals that are altered while nobody uses them, and can be put back. */
import { readFileSync, writeFileSync } from "node:fs";
import { putChecksum } from "#src/host/checksum.ts";
import { filesUnder, type LogKind, readLogFile } from "#test/oracle/log-file-reader.ts";

const headerSumAt = 64;
const versionAt = 4;

export class AlteredFile {
  readonly path: string;
  readonly #before: Buffer;

  private constructor(path: string, change: (bytes: Buffer) => void) {
    this.path = path;
    this.#before = readFileSync(path);
    const bytes = Buffer.from(this.#before);
    change(bytes);
    writeFileSync(path, bytes);
  }

  /** One bit of what the batch in the middle says of its records is the other way round. */
  static withDamage(folder: string, kind: LogKind): AlteredFile {
    const path = logUnder(folder, kind);
    const { batches } = readLogFile(path, kind) ?? { batches: [] };
    const { heads } = batches[Math.floor(batches.length / 2)] as (typeof batches)[number];
    return new AlteredFile(path, (bytes) => {
      const at = bytes.indexOf(heads) + 8;
      bytes[at] = (bytes[at] as number) ^ 1;
    });
  }

  /** The file says that it is of the next version, with a right checksum. */
  static ofNextVersion(folder: string, kind: LogKind): AlteredFile {
    return new AlteredFile(logUnder(folder, kind), (bytes) => {
      bytes.writeUInt16LE(bytes.readUInt16LE(versionAt) + 1, versionAt);
      putChecksum(bytes, 0, headerSumAt, bytes, headerSumAt);
    });
  }

  putBack(): void {
    writeFileSync(this.path, this.#before);
  }
}

function logUnder(folder: string, kind: LogKind): string {
  const path = filesUnder(folder).find((one) => (readLogFile(one, kind)?.batches.length ?? 0) > 0);
  if (path === undefined) throw new Error(`there is no ${kind} in ${folder}`);
  return path;
}

/** What lies in the files of spools and journals, by their paths. */
export function logContents(folder: string): ReadonlyMap<string, string> {
  const paths = filesUnder(folder).filter((path) => /\.(segment|piece|data|sums)$/.test(path));
  return new Map(paths.map((path) => [path, readFileSync(path).toString("base64")]));
}
