/** Documents as they were written once, and as they lie on a disk. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Files } from "#src/host/files.ts";

export function golden(name: string): Buffer {
  return readFileSync(join(import.meta.dirname, "../golden", name));
}

export function written(files: Files, path: string): Buffer {
  const handle = files.open(path, "read");
  const bytes = Buffer.alloc(handle.sizeBytesNow());
  handle.readNow(bytes, 0, bytes.length, 0);
  handle.close();
  return bytes;
}

export function put(files: Files, path: string, bytes: Buffer): void {
  const handle = files.create(path);
  handle.writeNow(bytes, 0, bytes.length, 0);
  handle.close();
}
