import { expect, test } from "vitest";
import type { JobReport } from "#src/control/job.ts";
import { jobFindings, jobHealth, jobInWords } from "#src/ui/job-words.ts";

const restore = { volume: "disk", seq: 1234, target: "/srv/x.img" };

function job(state: JobReport["state"], lines?: readonly string[]): JobReport {
  const result = lines === undefined ? {} : { result: { isSound: lines.length === 0, figures: {}, lines } };
  return { id: 12, kind: "restore", state, restore, ...result } as unknown as JobReport;
}

test("a restore that is done is well, and one that has failed is not", () => {
  const done = job("done", []);
  expect([jobHealth(done), jobInWords(done)]).toEqual([
    "good",
    "Restoring disk as of seq 1\u202f234 is done: /srv/x.img.",
  ]);
  expect((["waiting", "running", "failed", "cancelled"] as const).map((state) => jobHealth(job(state)))).toEqual([
    "",
    "",
    "bad",
    "",
  ]);
  expect(jobFindings(job("running"))).toEqual([]);
});

test("of a restore that lacks bytes it is said at once that it does, and which ones", () => {
  const lines = Array.from({ length: 10 }, (_, at) => `bytes ${at * 8192} to ${at * 8192 + 4095} cannot be read`);
  const short = job("done", lines.slice(0, 1));
  expect(jobHealth(short)).toBe("bad");
  expect(jobInWords(short)).toBe(
    "Restoring disk as of seq 1\u202f234 is done, but not all of it is as it was: /srv/x.img " +
      "('tidemark job show 12' tells more).",
  );
  expect(jobFindings(short)).toEqual(lines.slice(0, 1));
  expect(jobFindings(job("done", lines))).toEqual([...lines.slice(0, 8), "2 more"]);
});
