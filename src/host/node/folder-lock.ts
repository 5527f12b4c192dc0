/**
 * A folder for one process alone, by a lock of the system's on a file in it (`flock`): it goes when the process ends,
 * so none is ever left over. The file itself stays, and holds the number of the process that had it last.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import type { FolderLock } from "../files.ts";
import { errorNumber, type Libc, libc } from "./libc.ts";
import { systemError } from "./system-error.ts";

const fileName = "lock";
const fileMode = 0o600;
/** Where `flock` is handed the file, and how it says that another has the lock. */
const inheritedDescriptor = 3;
const statusOfConflict = 1;

/** `calls` is null where there is no foreign function interface. */
export function lockFolder(path: string, calls: Pick<Libc, "lock"> | null = libc ?? null): FolderLock {
  const fd = fs.openSync(join(path, fileName), fs.constants.O_RDWR | fs.constants.O_CREAT, fileMode);
  try {
    if (!(calls === null ? lockByProgram(fd) : lockByCall(fd, calls))) {
      throw systemError("EBUSY", `${path} is in use by process ${fs.readFileSync(fd, "utf8").trim() || "unknown"}`);
    }
    fs.ftruncateSync(fd, 0);
    fs.writeSync(fd, `${process.pid}\n`, 0);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  return { release: () => fs.closeSync(fd) };
}

function lockByCall(fd: number, calls: Pick<Libc, "lock">): boolean {
  const result = calls.lock(fd);
  if (result >= 0) return true;
  if (result === -errorNumber.tryAgain) return false;
  throw systemError("ENOLCK", `the file system does not lock files (error ${-result})`);
}

/** The lock belongs to the opened file and not to who asked for it, so the program may ask for us, and end. */
function lockByProgram(fd: number): boolean {
  const child = spawnSync("flock", ["--nonblock", String(inheritedDescriptor)], {
    stdio: ["ignore", "ignore", "ignore", fd],
  });
  if (child.status === 0) return true;
  if (child.status === statusOfConflict) return false;
  throw systemError("ENOLCK", "the program flock of util-linux is needed here to lock files");
}
