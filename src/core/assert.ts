/** Asserts stay on in production: they guard facts that this program itself is responsible for, never what a peer or a disk said. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** What only this program can be to blame for. Then nothing that it knows can be relied on, and it must not go on. */
export function isOwnFault(error: unknown): boolean {
  return error instanceof AssertionError || error instanceof TypeError;
}

/** Ends a `switch` over a union, so that a new member fails to compile here. */
export function assertNever(value: never): never {
  throw new AssertionError(`unexpected value: ${String(value)}`);
}
