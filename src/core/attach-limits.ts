/** How long the steps of attaching a volume to this machine, and of taking it away again, may take. */

/** A program that only asks or tells the kernel something. */
export const attachStepMs = 10_000;
/** nbdfuse, until it has spoken with the server. */
export const attachReadyMs = 15_000;
export const attachLookMs = 20;
/** So long a volume that is being opened is waited for, as after a start of its program, and it is looked so often. */
export const attachOpenMs = 60_000;
export const attachOpenLookMs = 250;
/** A file system is made: it may write much. */
export const makeFileSystemMs = 600_000;
/** So long detach gives a device to write what it still has, unless told. */
export const detachSecondsDefault = 30;
export const detachSecondsMax = 86_400;
/** After that the kernel's client gives up on a server that does not answer, and its requests fail. */
export const kernelAnswerSeconds = 60;

// The story that `tidemark story` tells
/** What is compared at once. */
export const storyPieceBytes = 1024 * 1024;
/** So long the letter lies there before it is deleted; then it is fetched from so long ago. */
export const storyAgeMs = 10_000;
/** Beyond the age, since times of records are whole milliseconds of another process. */
export const storyMarginMs = 500;
