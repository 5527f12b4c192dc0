/** What the rules look at: every one is a pure function over such files, and says what it found in sentences. */
export interface SourceFile {
  /** From the project's root on, with slashes. */
  readonly path: string;
  readonly text: string;
}

export function isCode(file: SourceFile): boolean {
  return /\.(ts|js)$/.test(file.path);
}

export function isProduct(file: SourceFile): boolean {
  return isCode(file) && file.path.startsWith("src/");
}

export function isDocument(file: SourceFile): boolean {
  return file.path.endsWith(".md");
}

/** `src/nbd/client/options.ts` is in `nbd`; a file directly under `src` or `test` is in none. */
export function folderOf(path: string): string | undefined {
  const [, folder, rest] = path.split("/");
  return rest === undefined ? undefined : folder;
}

export function finding(file: SourceFile, offset: number, message: string): string {
  return `${file.path}:${file.text.slice(0, offset).split("\n").length}: ${message}`;
}
