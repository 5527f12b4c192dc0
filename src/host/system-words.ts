/** The system's errors as people read them: what is wrong, without numbers and names of calls. */

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of the path is a file where a folder is needed",
  EISDIR: "it is a folder",
  EEXIST: "it is there already",
  ENOTEMPTY: "the folder is not empty",
  EACCES: "this user may not; look at who owns it, or start as another user",
  EPERM: "this user may not; look at who owns it, or start as another user",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full; make room and try again",
  EDQUOT: "this user's share of the disk is full; make room and try again",
  EFBIG: "the file system does not take files of this size",
  EIO: "the disk has failed; the system's log tells more",
  EBUSY: "another program uses it",
  EMFILE: "too many files are open; 'ulimit -n' raises the limit",
  ENFILE: "too many files are open on this machine",
  ENAMETOOLONG: "the path is too long",
  ELOOP: "its links lead in a circle",
  EADDRINUSE: "it is in use",
  EADDRNOTAVAIL: "this machine has no such address",
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the other side cut the connection",
  EPIPE: "the other side cut the connection",
  EHOSTUNREACH: "no way leads to that host",
  ENETUNREACH: "no way leads to that network",
  ENOTFOUND: "there is no host of that name",
  EAI_AGAIN: "the name of the host could not be looked up just now",
  ETIMEDOUT: "it took too long",
};

/** Undefined: the error is none of the system's, or has words of its own. */
export function systemReason(error: unknown): string | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined || !isRaw(message, code)) return undefined;
  return Object.hasOwn(reasons, code) ? reasons[code] : undefined;
}

/** One line for people. */
export function inWords(error: unknown): string {
  const { message, path } = error as NodeJS.ErrnoException;
  const reason = systemReason(error);
  if (reason === undefined) return message;
  return path === undefined ? reason : `${path}: ${reason}`;
}

/** `ENOENT: no such file or directory, open '/a'`, `connect ENOENT /a`, or nothing at all. */
function isRaw(message: string, code: string): boolean {
  return message === "" || message.startsWith(`${code}: `) || message.split(/:? /, 2)[1] === code;
}
