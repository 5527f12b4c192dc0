/** The port to other programs of the machine: run within a time, or left running behind us; and what /proc and /sys tell. */

export interface ProgramEnding {
  /** Undefined: a signal ended it, or its time was up. */
  readonly status: number | undefined;
  /** Its time was up: it was told to go, and nobody waits for it, since a program that hangs in the kernel cannot go. */
  readonly isLate: boolean;
  readonly output: string;
  /** Its last words on standard error. */
  readonly words: string;
}

export interface Daemon {
  readonly processId: number;
  hasEnded(): boolean;
}

export interface Programs {
  readonly isRoot: boolean;
  /** Of this process. */
  readonly processId: number;
  /** Rejects where there is no such program (`ENOENT`). */
  run(program: string, programArguments: readonly string[], withinMs: number): Promise<ProgramEnding>;
  /** Outlives this process; what it says goes to the file. */
  startDaemon(program: string, programArguments: readonly string[], wordsPath: string): Promise<Daemon>;
  /** Ends a process at once; nothing happens where it is gone. */
  kill(processId: number): void;
  /** A small file, such as those of /proc and /sys. Undefined: there is none. Never of a file system that may hang. */
  textOf(path: string): string | undefined;
  /** Publishes a small file, in one step. */
  saveText(path: string, text: string): void;
  /** The names in a folder; none where there is none. */
  namesIn(path: string): string[];
  /** A new and empty one, for a while. */
  makeTemporaryFolder(): string;
  /** With all folders above it. */
  makeFolder(path: string): void;
  /** With what is in it, but never through a mount: folders that are not empty after their files are gone stay. */
  removeFolder(path: string): void;
}
