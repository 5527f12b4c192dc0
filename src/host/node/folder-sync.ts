/**
 * The sync of a folder needs a descriptor for a moment. While there is none nothing has been tried yet, so it is waited
 * for: an error here would have to be taken for a failed sync, after which nobody may go on.
 */
import fs from "node:fs";
import { descriptorPatienceMs } from "#src/core/limits.ts";
import type { DoneCallback } from "../block-device.ts";
import { isLackOfDescriptors } from "../lack-of-room.ts";

export function syncFolder(path: string, done: DoneCallback): void {
  fs.open(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY, (openError, fd) => {
    if (openError === null) syncAndClose(fd, done);
    else if (isLackOfDescriptors(openError)) setTimeout(() => syncFolder(path, done), descriptorPatienceMs);
    else done(openError);
  });
}

function syncAndClose(fd: number, done: DoneCallback): void {
  fs.fsync(fd, (error) => {
    fs.closeSync(fd);
    done(error);
  });
}
