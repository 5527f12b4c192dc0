/** How what lies in a file is printed: line by line, at the pace of whoever reads it. */
import { resolve } from "node:path";
import { outputPieceCharacters } from "#src/core/limits.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { workingFolder } from "#src/host/node/environment.ts";
import { explainFile } from "./failure.ts";

export function opened(files: Files, path: string): FileHandle {
  try {
    return files.open(resolve(workingFolder(), path), "read");
  } catch (error) {
    throw explainFile(error, path);
  }
}

/** A reader that is slower is waited for, and to one that is gone nothing more is said. */
export async function print(lines: Iterable<string> | AsyncIterable<string>): Promise<void> {
  let text = "";
  for await (const line of lines) {
    text += `${line}\n`;
    if (text.length < outputPieceCharacters) continue;
    if (!(await isTaken(text))) return;
    text = "";
  }
  await isTaken(text);
}

function isTaken(text: string): Promise<boolean> {
  return new Promise((resolve) => process.stdout.write(text, (error) => resolve(!error)));
}
