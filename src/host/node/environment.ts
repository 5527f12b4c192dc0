/** What the process was started with. */

export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

export function workingFolder(): string {
  return process.cwd();
}
