import { expect, test } from "vitest";
import { logDecision, logEvidences, logFindings, logRecoveryTable } from "#src/records/log-recovery-table.ts";

test("each combination of what is found and what is known has exactly one row", () => {
  const pairs = logFindings.flatMap((found) => logEvidences.map((evidence) => ({ found, evidence })));
  const counts = pairs.map(
    ({ found, evidence }) =>
      logRecoveryTable.filter((row) => row.found.includes(found) && row.evidence.includes(evidence)).length,
  );
  expect(counts).toEqual(pairs.map(() => 1));
});

test("fault 12: what was durable is never dropped", () => {
  for (const found of logFindings) {
    const decisions = [logDecision(found, "claimed"), logDecision(found, "known")];
    expect(decisions).toEqual(found === "sound" ? ["accept", "accept"] : ["damage", "damage"]);
  }
});

test("what was not durable may be missing, torn, or there without what lies before it", () => {
  const mayBeDropped = logFindings.filter((found) => found !== "sound" && found !== "unreadable");
  for (const found of mayBeDropped) {
    expect(logDecision(found, "later")).toBe("tail");
    expect(logDecision(found, "none")).toBe(found === "nothing" ? "end" : "tail");
  }
});

test("fault 12: a disk that cannot be read is no end of a log", () => {
  expect(logEvidences.map((evidence) => logDecision("unreadable", evidence))).toEqual(logEvidences.map(() => "damage"));
});
