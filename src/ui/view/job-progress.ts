/** How far a restore is, and what came of it. */
import { type ComponentChild, h } from "preact";
import { useState } from "preact/hooks";
import type { JobReport } from "#src/control/job.ts";
import type { Desk } from "../desk.ts";
import { isOver, jobFindings, jobHealth, jobInWords, jobShare } from "../job-words.ts";
import { useEvery } from "./hooks.ts";

interface JobParts {
  readonly desk: Desk;
  readonly first: JobReport;
  readonly dismiss: (job: JobReport) => void;
}

export function JobProgress({ desk, first, dismiss }: JobParts): ComponentChild {
  const [job, setJob] = useState(first);
  useEvery(
    desk,
    isOver(job) ? undefined : 500,
    () => {
      desk.job(first.id).then(setJob, () => {});
    },
    [first.id],
  );
  const findings = jobFindings(job);
  return h(
    "section",
    { class: `panel note ${jobHealth(job)}`, "aria-label": "Restore" },
    h(
      "div",
      { class: "between" },
      h("p", { role: "status" }, jobInWords(job)),
      isOver(job)
        ? h("button", { type: "button", class: "button plain", onClick: () => dismiss(job) }, "Dismiss")
        : h(
            "button",
            { type: "button", class: "button plain", onClick: () => desk.cancelJob(job.id).then(setJob, () => {}) },
            "Cancel",
          ),
    ),
    findings.length > 0 &&
      h(
        "ul",
        { class: "small", "aria-label": "Findings" },
        findings.map((words) => h("li", { key: words }, words)),
      ),
    !isOver(job) && bar(jobShare(job)),
  );
}

function bar(share: number): ComponentChild {
  const percent = Math.round(share * 100);
  return h(
    "div",
    {
      class: "progress",
      role: "progressbar",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
      "aria-valuenow": percent,
      "aria-label": "Restore",
    },
    h(
      "svg",
      { viewBox: "0 0 100 1", preserveAspectRatio: "none", "aria-hidden": "true" },
      h("rect", { width: percent, height: 1 }),
    ),
  );
}
