/** The threads port: work that must not wait for the rest of the program, nor keep it waiting. */

/** One end of a two-way line of messages. They are copied on the way, and arrive in their order. */
export interface MessageLine {
  send(message: unknown): void;
  /** Called once, on the turn of the event loop that the line was got on. */
  receive(listener: (message: unknown) => void): void;
}

/** What a module that is to run as a thread exports. It goes on after that returns, until it is ended. */
export interface ThreadModule<Settings> {
  runThread(line: MessageLine, settings: Settings): void;
}

export interface Thread extends MessageLine {
  /** The thread is no more, with the error that ended it; absent where `end` was called. */
  readonly ended: Promise<Error | undefined>;
  /** Ends it wherever it is. One that waits for a disk inside of the system ends when that wait does. */
  end(): void;
}

/** The system has ended it for what it did: a fault of what it is made of, or stands on, and none that it could tell of. */
export class CrashError extends Error {
  override name = "CrashError";
}
