import { expect, test } from "vitest";
import { judge, readCommitLog } from "./commit-log.ts";

/** Three commits of one client: the first is over at 2 ms, the second lasts from 3 to 5, the third begins at 6. */
const log = "0 1 1000 0 0 2000\n0 2 2000 0 0 5000\n0 3 1000 0 0 7000\n";
const commits = readCommitLog(4, log);

test("commits are read as pgbench notes them", () => {
  expect(commits).toHaveLength(3);
  expect(commits[1]).toEqual({ name: "4/0/2", begunMicros: 3000, returnedMicros: 5000 });
  expect(() => readCommitLog(4, "0 1 failed 0 1 2\n")).toThrow("not a line of pgbench");
});

test("what had returned must be there, what was not begun must not, and what was under way may", () => {
  expect(judge(commits, new Set(["4/0/1"]), 4)).toEqual({ lost: [], early: [], promisedCount: 1 });
  expect(judge(commits, new Set(["4/0/1", "4/0/2"]), 4)).toEqual({ lost: [], early: [], promisedCount: 1 });
  expect(judge(commits, new Set(["4/0/2"]), 4).lost).toEqual(["4/0/1"]);
  expect(judge(commits, new Set(["4/0/1", "4/0/3"]), 5).early).toEqual(["4/0/3"]);
  expect(judge(commits, new Set(["4/0/1", "9/9/9"]), 4).early).toEqual(["9/9/9"]);
});
