/** What a script has told of its steps, and how open systemd has found the units on the way. */
import { expect } from "vitest";
import type { GuestReport } from "#test/clients/guest/machine.ts";

/** Of ten, where 10 is no protection at all. */
export const exposureMax = 2.5;

/** Which units systemd has found how open. */
function exposures({ steps }: GuestReport): ReadonlyMap<string, number> {
  const found = steps.flatMap((step) => [...step.matchAll(/^exposure of (\S+): ([\d.]+)$/g)]);
  return new Map(found.map(([, unit = "", exposure]) => [unit, Number(exposure)]));
}

export function expectSteps(report: GuestReport, units: readonly string[], steps: readonly string[]): void {
  expect(
    report.steps.filter((step) => !step.startsWith("exposure of ")),
    report.console,
  ).toEqual([...steps, "done"]);
  const found = exposures(report);
  expect([...found.keys()]).toEqual(units);
  for (const [unit, exposure] of found) expect([unit, exposure <= exposureMax]).toEqual([unit, true]);
}
