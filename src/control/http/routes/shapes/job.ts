/** Long works, as they are answered. */
import type { JobProgress, JobReport } from "../../../job.ts";
import type { RestoreReport } from "../../../restore-control.ts";
import { type WorkResult, workKinds } from "../../../store-work.ts";
import {
  choice,
  count,
  type FieldsOf,
  flag,
  list,
  nullable,
  number,
  object,
  optional,
  record,
  time,
  words,
} from "../../schema.ts";
import { markReport } from "./group.ts";
import { scrubFinding } from "./scrub-finding.ts";

const progress = object<JobProgress>({
  what: words("what is being done"),
  done: number("so far, in units"),
  total: optional(number("absent: nobody knows yet")),
  unit: words("of these"),
  bytes: count("read and written since it was begun"),
  bytesPerSecond: number("of these"),
  secondsLeft: optional(number("about so long")),
});

const result = object<WorkResult>({
  isSound: flag("nothing was found that a person must see"),
  figures: record(nullable(number("null: it is not known")), "by stable names; those that end in Bytes are sizes"),
  lines: list(words("a finding"), "one by one, as many as are worth keeping"),
  findings: optional(list(scrubFinding, "of a scrub: what each of the lines says")),
});

const jobFields: FieldsOf<JobReport> = {
  id: count("given once"),
  kind: choice(workKinds, "what it does"),
  dryRun: flag("it only says what it would do"),
  restore: optional(
    object<NonNullable<JobReport["restore"]>>({
      id: words("of what is noted of it"),
      volume: words("which volume"),
      view: optional(words("the view whose content it is")),
      seq: count("the point"),
      time: optional(time("of its record")),
      note: optional(words("what else is to be said of it")),
      target: words("where it goes"),
    }),
  ),
  by: choice(["operator", "schedule"], "who has asked for it"),
  state: choice(["waiting", "running", "done", "failed", "cancelled"], "how far it is"),
  made: time("when it was asked for"),
  started: optional(time("when it was begun")),
  ended: optional(time("when it ended")),
  why: optional(words("why it failed, or waits although it was begun")),
  progress: optional(progress),
  result: optional(result),
};

export const jobReport = object<JobReport>(jobFields, "Job");

export const restoreReport = object<RestoreReport>({ ...jobFields, mark: optional(markReport) }, "RestoreJob");
