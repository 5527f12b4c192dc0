import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readTextFile } from "#src/host/node/text-file.ts";
import { inWords, systemReason } from "#src/host/system-words.ts";
import { temporaryFolder } from "./node/temporary-folder.ts";

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

test("what the file system throws is said with its path", () => {
  const folder = temporaryFolder();
  const file = join(folder, "file");
  writeFileSync(file, "");
  mkdirSync(join(folder, "folder"));
  const words = (path: string) => inWords(thrownBy(() => readTextFile(path)));
  expect(words(join(folder, "none"))).toBe(`${folder}/none: there is no such file or folder`);
  expect(words(join(file, "below"))).toBe(`${file}/below: a part of the path is a file where a folder is needed`);
  expect(words(join(folder, "folder"))).toMatch(/it is a folder$/);
});

test("what a socket throws is said without its number", async () => {
  const error = await new Promise((resolve) => connect({ path: "/nonexistent/socket" }).on("error", resolve));
  expect(systemReason(error)).toBe("there is no such file or folder");
});

test("an error with words of its own keeps them", () => {
  const own = Object.assign(new Error("no answer in 60 s"), { code: "ETIMEDOUT" });
  expect([systemReason(own), inWords(own)]).toEqual([undefined, "no answer in 60 s"]);
  const unknown = Object.assign(new Error("EWHAT: odd, open '/a'"), { code: "EWHAT" });
  expect(inWords(unknown)).toBe("EWHAT: odd, open '/a'");
  expect(inWords(new Error("plain"))).toBe("plain");
});

test("several attempts that all failed have no message, and are said as the last one was", () => {
  const error = Object.assign(new AggregateError([]), { code: "ECONNREFUSED" });
  expect(inWords(error)).toBe("nothing listens there");
});
