/** What every implementation of the files port must do. */
import { describe, expect, onTestFinished, test } from "vitest";
import type { FileHandle, Files } from "#src/host/files.ts";
import { completion, type Driver } from "./driver.ts";

export interface FilesBench {
  readonly files: Files;
  readonly driver: Driver;
  /** An empty folder for the test alone. */
  readonly folder: string;
}

export function describeFilesContract(name: string, make: () => FilesBench): void {
  describe(`${name} keep the contract of files`, () => {
    describeNames(make);
    describeBytes(make);
    describeSyncs(make);
    describeLocks(make);
  });
}

function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** Creates a file that is closed when the test is over. */
function created(files: Files, path: string, content = ""): FileHandle {
  const handle = files.create(path);
  onTestFinished(() => handle.close());
  write(handle, content, 0);
  return handle;
}

function opened(files: Files, path: string, mode: "read" | "readWrite" = "read"): FileHandle {
  const handle = files.open(path, mode);
  onTestFinished(() => handle.close());
  return handle;
}

function write(handle: FileHandle, text: string, position: number): void {
  const bytes = Buffer.from(text);
  handle.writeNow(bytes, 0, bytes.length, position);
}

function read(handle: FileHandle, position: number, lengthBytes: number): string {
  const bytes = Buffer.alloc(lengthBytes, "?");
  const count = handle.readNow(bytes, 0, lengthBytes, position);
  return bytes.toString("latin1", 0, count);
}

function describeNames(make: () => FilesBench): void {
  test("a new file is there, and empty", () => {
    const { files, folder } = make();
    const path = `${folder}/a`;
    expect(files.exists(path)).toBe(false);
    const handle = created(files, path);
    expect([files.exists(path), handle.path, handle.sizeBytesNow(), read(handle, 0, 10)]).toEqual([true, path, 0, ""]);
  });

  test("a name that is taken is not created again", () => {
    const { files, folder } = make();
    created(files, `${folder}/a`, "kept");
    files.makeFolder(`${folder}/b`);
    expect(codeOf(() => files.create(`${folder}/a`))).toBe("EEXIST");
    expect(codeOf(() => files.create(`${folder}/b`))).toBe("EEXIST");
    expect(read(opened(files, `${folder}/a`), 0, 10)).toBe("kept");
  });

  test("what is not there cannot be opened, renamed, removed or listed", () => {
    const { files, folder } = make();
    const path = `${folder}/nothing`;
    expect(codeOf(() => files.open(path, "read"))).toBe("ENOENT");
    expect(codeOf(() => files.open(path, "readWrite"))).toBe("ENOENT");
    expect(codeOf(() => files.rename(path, `${folder}/a`))).toBe("ENOENT");
    expect(codeOf(() => files.remove(path))).toBe("ENOENT");
    expect(codeOf(() => files.list(path))).toBe("ENOENT");
    expect(codeOf(() => files.create(`${path}/a`))).toBe("ENOENT");
    expect(codeOf(() => files.makeFolder(`${path}/a`))).toBe("ENOENT");
    expect(files.exists(`${path}/a`)).toBe(false);
  });

  test("a folder is no file, and a file no folder", () => {
    const { files, folder } = make();
    files.makeFolder(`${folder}/folder`);
    created(files, `${folder}/file`);
    expect(codeOf(() => files.open(`${folder}/folder`, "read"))).toBe("EISDIR");
    expect(codeOf(() => files.open(`${folder}/folder`, "readWrite"))).toBe("EISDIR");
    expect(codeOf(() => files.remove(`${folder}/folder`))).toBe("EISDIR");
    expect(codeOf(() => files.list(`${folder}/file`))).toBe("ENOTDIR");
    expect(codeOf(() => files.makeFolder(`${folder}/file`))).toBe("EEXIST");
    expect(codeOf(() => files.create(`${folder}/file/a`))).toBe("ENOTDIR");
    expect(codeOf(() => files.exists(`${folder}/file/a`))).toBe("ENOTDIR");
  });

  test("a folder's names are listed in the order of their characters' codes", () => {
    const { files, folder } = make();
    for (const name of ["b", "B", "a10", "a9"]) created(files, `${folder}/${name}`);
    files.makeFolder(`${folder}/a`);
    expect(files.list(folder)).toEqual(["B", "a", "a10", "a9", "b"]);
  });

  test("a folder says which of its names are folders, in the same order", () => {
    const { files, folder } = make();
    for (const name of ["b", "B"]) created(files, `${folder}/${name}`);
    files.makeFolder(`${folder}/a`);
    expect(files.entries(folder)).toEqual([
      { name: "B", isFolder: false },
      { name: "a", isFolder: true },
      { name: "b", isFolder: false },
    ]);
    expect(codeOf(() => files.entries(`${folder}/b`))).toBe("ENOTDIR");
    expect(codeOf(() => files.entries(`${folder}/nothing`))).toBe("ENOENT");
  });

  test("a file's size is told without opening it, and nothing else has one", () => {
    const { files, folder } = make();
    created(files, `${folder}/a`, "content");
    files.makeFolder(`${folder}/inner`);
    const sizes = ["a", "inner", "nothing", "nothing/a"].map((name) => files.sizeBytes(`${folder}/${name}`));
    expect(sizes).toEqual([7, undefined, undefined, undefined]);
  });

  test("making a folder that is there changes nothing in it", () => {
    const { files, folder } = make();
    files.makeFolder(`${folder}/inner`);
    created(files, `${folder}/inner/a`, "kept");
    files.makeFolder(`${folder}/inner`);
    expect(files.list(`${folder}/inner`)).toEqual(["a"]);
  });

  test("a renamed file has the new name alone, and open handles go on", () => {
    const { files, folder } = make();
    const handle = created(files, `${folder}/a`, "content");
    files.rename(`${folder}/a`, `${folder}/b`);
    write(handle, "C", 0);
    expect(files.list(folder)).toEqual(["b"]);
    expect(read(opened(files, `${folder}/b`), 0, 10)).toBe("Content");
  });

  test("a rename replaces the file of that name, which those who have it open still read", () => {
    const { files, folder } = make();
    const old = created(files, `${folder}/a`, "old");
    created(files, `${folder}/b`, "new");
    files.rename(`${folder}/b`, `${folder}/a`);
    expect(files.list(folder)).toEqual(["a"]);
    expect([read(old, 0, 10), read(opened(files, `${folder}/a`), 0, 10)]).toEqual(["old", "new"]);
  });

  test("a renamed folder keeps what is in it", () => {
    const { files, folder } = make();
    files.makeFolder(`${folder}/a`);
    created(files, `${folder}/a/file`, "content");
    files.rename(`${folder}/a`, `${folder}/b`);
    expect(files.list(folder)).toEqual(["b"]);
    expect(read(opened(files, `${folder}/b/file`), 0, 10)).toBe("content");
  });

  test("a file does not replace a folder, nor a folder a file", () => {
    const { files, folder } = make();
    files.makeFolder(`${folder}/folder`);
    created(files, `${folder}/file`);
    expect(codeOf(() => files.rename(`${folder}/file`, `${folder}/folder`))).toBe("EISDIR");
    expect(codeOf(() => files.rename(`${folder}/folder`, `${folder}/file`))).toBe("ENOTDIR");
    expect(files.list(folder)).toEqual(["file", "folder"]);
  });

  test("a file renamed to its own name stays", () => {
    const { files, folder } = make();
    created(files, `${folder}/a`, "content");
    files.rename(`${folder}/a`, `${folder}/a`);
    expect(read(opened(files, `${folder}/a`), 0, 10)).toBe("content");
  });

  test("nothing is renamed into another folder", () => {
    const { files, folder } = make();
    files.makeFolder(`${folder}/inner`);
    created(files, `${folder}/a`);
    expect(() => files.rename(`${folder}/a`, `${folder}/inner/a`)).toThrow("stays in its folder");
    expect(files.list(folder)).toEqual(["a", "inner"]);
  });

  test("a removed file is gone by its name, and open handles go on", () => {
    const { files, folder } = make();
    const handle = created(files, `${folder}/a`, "content");
    files.remove(`${folder}/a`);
    write(handle, "C", 0);
    expect([files.exists(`${folder}/a`), files.list(folder), read(handle, 0, 10)]).toEqual([false, [], "Content"]);
  });
}

function describeBytes(make: () => FilesBench): void {
  test("bytes are written and read at their positions", () => {
    const { files, folder } = make();
    const handle = created(files, `${folder}/a`, "0123456789");
    write(handle, "xy", 4);
    expect([read(handle, 0, 10), read(handle, 3, 4)]).toEqual(["0123xy6789", "3xy6"]);
  });

  test("only the asked part of the buffer is written, and only that part is filled", () => {
    const { files, folder } = make();
    const handle = created(files, `${folder}/a`);
    handle.writeNow(Buffer.from("..abc.."), 2, 3, 0);
    const target = Buffer.from("-------");
    expect(handle.readNow(target, 2, 3, 0)).toBe(3);
    expect([target.toString(), handle.sizeBytesNow()]).toEqual(["--abc--", 3]);
  });

  test("reading stops where the file ends", () => {
    const { files, folder } = make();
    const handle = created(files, `${folder}/a`, "0123456789");
    expect([read(handle, 8, 10), read(handle, 10, 10), read(handle, 1000, 10)]).toEqual(["89", "", ""]);
  });

  test("reading or writing nothing does nothing", () => {
    const { files, folder } = make();
    const handle = created(files, `${folder}/a`, "abc");
    handle.writeNow(Buffer.alloc(0), 0, 0, 100);
    handle.writevNow([], 100);
    handle.writevNow([Buffer.alloc(0), Buffer.alloc(0)], 100);
    expect([handle.readNow(Buffer.alloc(1), 0, 0, 0), handle.sizeBytesNow()]).toEqual([0, 3]);
  });

  test("a gap that was never written reads as zeros", () => {
    const { files, folder } = make();
    const handle = created(files, `${folder}/a`, "a");
    write(handle, "b", 10_000);
    expect(handle.sizeBytesNow()).toBe(10_001);
    expect(read(handle, 0, 20_000)).toBe(`a${"\0".repeat(9_999)}b`);
  });

  test("positions go beyond 32 bits", () => {
    const { files, folder } = make();
    const handle = created(files, `${folder}/a`);
    write(handle, "far", 5 * 2 ** 30 + 1);
    expect([handle.sizeBytesNow(), read(handle, 5 * 2 ** 30, 10)]).toEqual([5 * 2 ** 30 + 4, "\0far"]);
  });

  test("pieces are written one after the other, empty ones too, and more than a system call takes", () => {
    const { files, folder } = make();
    const handle = created(files, `${folder}/a`, "start");
    const pieces = Array.from({ length: 3000 }, (_, index) => Buffer.from(index % 7 === 0 ? "" : `${index},`));
    handle.writevNow(pieces, 5);
    const text = `start${pieces.map(String).join("")}`;
    expect([read(handle, 0, 100_000), handle.sizeBytesNow()]).toEqual([text, text.length]);
  });

  test("a file is cut, and made longer with zeros", () => {
    const { files, folder } = make();
    const handle = created(files, `${folder}/a`, "0123456789");
    handle.truncateNow(4);
    expect([handle.sizeBytesNow(), read(handle, 0, 100)]).toEqual([4, "0123"]);
    handle.truncateNow(6);
    expect([handle.sizeBytesNow(), read(handle, 0, 100)]).toEqual([6, "0123\0\0"]);
  });

  test("a file opened to be read is not written", () => {
    const { files, folder } = make();
    created(files, `${folder}/a`, "kept");
    const handle = opened(files, `${folder}/a`, "read");
    expect(codeOf(() => write(handle, "new", 0))).toBe("EBADF");
    expect(codeOf(() => handle.writevNow([Buffer.from("new")], 0))).toBe("EBADF");
    expect(codeOf(() => handle.truncateNow(0))).toBe("EINVAL");
    expect(read(handle, 0, 10)).toBe("kept");
  });

  test("two handles of one file see the same bytes at once", () => {
    const { files, folder } = make();
    const first = created(files, `${folder}/a`, "0123");
    const second = opened(files, `${folder}/a`, "readWrite");
    write(second, "x", 1);
    write(first, "y", 2);
    expect([read(first, 0, 9), read(second, 0, 9)]).toEqual(["0xy3", "0xy3"]);
  });

  test("a closed file is not used any more", () => {
    const { files, folder } = make();
    const handle = files.create(`${folder}/a`);
    handle.close();
    const calls = [
      () => handle.sizeBytesNow(),
      () => read(handle, 0, 1),
      () => write(handle, "x", 0),
      () => handle.writevNow([Buffer.from("x")], 0),
      () => handle.truncateNow(0),
      () => handle.sync(() => {}),
      () => handle.close(),
    ];
    for (const call of calls) expect(call).toThrow("is used after it was closed");
  });
}

function describeSyncs(make: () => FilesBench): void {
  test("a sync calls back without an error, after the call has returned", async () => {
    const { files, folder, driver } = make();
    const handle = created(files, `${folder}/a`, "content");
    let hasReturned = false;
    const error = await completion(driver, (done) => {
      handle.sync((failure) => {
        expect(hasReturned).toBe(true);
        done(failure);
      });
      hasReturned = true;
    });
    expect(error).toBe(null);
  });

  test("each of many syncs is answered once", async () => {
    const { files, folder, driver } = make();
    const handle = created(files, `${folder}/a`);
    const answers = new Array(20).fill(0);
    for (let index = 0; index < answers.length; index++) {
      write(handle, "x", index);
      handle.sync((error) => {
        answers[index] += error === null ? 1 : 100;
      });
    }
    await driver.until(() => answers.every((count) => count > 0));
    await driver.quiet();
    expect(answers).toEqual(new Array(20).fill(1));
  });

  test("a sync can be asked for inside of another's answer", async () => {
    const { files, folder, driver } = make();
    const handle = created(files, `${folder}/a`);
    const error = await completion(driver, (done) => handle.sync(() => handle.sync(() => handle.sync(done))));
    expect(error).toBe(null);
  });

  test("a sync under way is answered after the file was closed", async () => {
    const { files, folder, driver } = make();
    const handle = files.create(`${folder}/a`);
    write(handle, "content", 0);
    const answers: (Error | null)[] = [];
    handle.sync((error) => answers.push(error));
    handle.sync((error) => answers.push(error));
    handle.close();
    await driver.until(() => answers.length === 2);
    await driver.quiet();
    expect(answers).toEqual([null, null]);
  });

  test("a folder is synced, after the call has returned", async () => {
    const { files, folder, driver } = make();
    created(files, `${folder}/a`);
    let hasReturned = false;
    const error = await completion(driver, (done) => {
      files.syncFolder(folder, (failure) => {
        expect(hasReturned).toBe(true);
        done(failure);
      });
      hasReturned = true;
    });
    expect(error).toBe(null);
  });

  test("what is no folder is not synced as one, and that is an answer", async () => {
    const { files, folder, driver } = make();
    created(files, `${folder}/file`);
    const answers = [`${folder}/nothing`, `${folder}/file`].map((path) =>
      completion(driver, (done) => files.syncFolder(path, done)),
    );
    const codes = (await Promise.all(answers)).map((error) => (error as NodeJS.ErrnoException | null)?.code);
    expect(codes).toEqual(["ENOENT", "ENOTDIR"]);
  });
}

function describeLocks(make: () => FilesBench): void {
  test("a folder is locked once, until it is released", () => {
    const { files, folder } = make();
    files.makeFolder(`${folder}/other`);
    const lock = files.lockFolder(folder);
    expect(codeOf(() => files.lockFolder(folder))).toBe("EBUSY");
    files.lockFolder(`${folder}/other`).release();
    lock.release();
    files.lockFolder(folder).release();
  });

  test("a lock keeps nobody from the files", () => {
    const { files, folder } = make();
    const lock = files.lockFolder(folder);
    created(files, `${folder}/a`);
    expect(files.list(folder)).toContain("a");
    lock.release();
  });

  test("what is not there, or no folder, is not locked", () => {
    const { files, folder } = make();
    created(files, `${folder}/file`);
    expect(codeOf(() => files.lockFolder(`${folder}/nothing`))).toBe("ENOENT");
    expect(codeOf(() => files.lockFolder(`${folder}/file`))).toBe("ENOTDIR");
  });
}
