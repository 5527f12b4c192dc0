/** What the system's errors mean to whoever typed the command, and what to do about them. */
import { systemReason } from "#src/host/system-words.ts";

/** `what` names the thing as the user did, for example "/srv/disk.img" or "--tls-key key.pem". */
export function explainFile(error: unknown, what: string): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  return new Error(fileReason(code, what) ?? `${what}: ${systemReason(error) ?? message}`, { cause: error });
}

function fileReason(code: string | undefined, what: string): string | undefined {
  switch (code) {
    case "ENOENT":
      return `${what}: no such file or folder`;
    case "EISDIR":
      return `${what} is a folder; a file or a block device is needed`;
    case "ENOTDIR":
    case "EEXIST":
      return `${what} is, or lies behind, a file where a folder is needed`;
    case "EACCES":
    case "EPERM":
      return `${what} may not be opened for that by this user; for reading only, --read-only may be enough`;
    case "EROFS":
      return `${what} is on a file system that is read-only; --read-only serves it`;
    case "EBUSY":
      return `${what} is in use by another program (mounted, or served already); --read-only may be enough`;
    case "ENOSPC":
      return `${what}: the disk is full; make room and try again`;
    default:
      return undefined;
  }
}

export function explainListening(error: unknown, where: string): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = listeningReason(code) ?? systemReason(error) ?? message;
  return new Error(`cannot listen on ${where}: ${why}`, { cause: error });
}

function listeningReason(code: string | undefined): string | undefined {
  switch (code) {
    case "EADDRINUSE":
      return "it is in use; end what uses it, or choose another (--port 0 lets the system choose)";
    case "EACCES":
      return "this user may not; ports below 1024 need root";
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return "this machine has no such address";
    default:
      return undefined;
  }
}
