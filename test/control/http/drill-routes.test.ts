/** What the API answers about drills. */
import { expect, test } from "vitest";
import { askedSide } from "./asked-side.ts";
import { viewFacts } from "./scripted-side.ts";

test("what came of a drill is noted of a view that is there, and of no other one", async () => {
  const { side, ask } = askedSide();
  const note = {
    view: "disk-7",
    outcome: "failed",
    command: "check",
    milliseconds: 1500,
    why: "it ended with status 1",
  };
  expect((await ask("POST", "/drills", note)).status).toBe(404);
  side.views = [viewFacts];
  expect((await ask("POST", "/drills", note)).status).toBe(201);
  const { milliseconds: durationMs, ...noted } = note;
  expect(side.asked.at(-1)).toEqual({ noteDrill: { ...noted, durationMs } });
  expect((await ask("POST", "/drills", { ...note, outcome: "perfect" })).status).toBe(400);
  const refused = { volume: "disk", point: "now", command: "check" };
  const { status, body } = await ask("POST", "/drills/refused", refused);
  expect([status, body.outcome, "seq" in body]).toEqual([201, "failed", false]);
  expect(side.asked.at(-1)).toEqual({ noteRefusedDrill: refused });
  expect((await ask("GET", "/drills")).body).toEqual({ drills: [], waiting: [] });
});
