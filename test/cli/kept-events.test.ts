/** Events over a restart, as somebody who listens hears of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ApiEvent } from "#src/control/http/events/event.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { whenSeen } from "#test/patience.ts";
import { RunningProgram } from "./running-program.ts";

needPrograms("setpriv");

interface EventsReport {
  readonly missed: boolean;
  readonly events: readonly ApiEvent[];
}

test("who has heard of some events goes on behind them after the program was killed and started again", async () => {
  const data = join(temporaryFolder(), "data");
  const first = await RunningProgram.start("remote", data, "--set", "wire.port=0");
  await first.sent("POST", "/api/v1/tokens", { name: "first", role: "read" });
  const before = (await first.got("/api/v1/events")).body as EventsReport;
  const seen = before.events.at(-1) as ApiEvent;
  expect([seen.kind, seen.facts.does]).toEqual(["audit", "POST /api/v1/tokens"]);
  await first.sent("POST", "/api/v1/tokens", { name: "second", role: "read" });
  const ordered = () => readFileSync(join(data, "remote/events.log"), "utf8").split('"POST /api/v1/tokens"').length - 1;
  await whenSeen(() => expect(ordered()).toBe(2));
  await first.program.kill();

  const second = await RunningProgram.start("remote", data, "--set", "wire.port=0");
  const after = (await second.got(`/api/v1/events?after=${seen.id}`)).body as EventsReport;
  expect(after.missed).toBe(false);
  const known = after.events.filter(({ kind }) => kind === "audit" || kind === "program");
  expect(known.map(({ kind, facts }) => [kind, facts.does ?? facts.state])).toEqual([
    ["audit", "POST /api/v1/tokens"],
    ["program", "started"],
  ]);
  // Killed: nobody has said that it ended.
  expect(before.events.map(({ facts }) => facts.state)).toContain("started");
  await second.program.stop();
});
