/** What becomes of a group's volumes when its spool is moved. */
import { expect, test } from "vitest";
import { spoolMoveInWords } from "#src/cli/volume.ts";
import type { VolumeFacts } from "#src/control/role.ts";
import { RetryError } from "#src/core/errors.ts";
import { sidePatienceMs } from "#src/core/limits.ts";
import { driven } from "#test/contract/driver.ts";
import { apiDriver } from "./http/api-driver.ts";
import { group, ScriptedSide, volumeFacts } from "./http/scripted-side.ts";

const failure = "the spool in /s could not be synced: EIO";
const ownFailure = "EIO: read of /own";

/** Two volumes that the failure of their group's spool has fenced, and others. */
async function withFailedSpool() {
  const side = new ScriptedSide();
  const { control } = side;
  const done = <Result>(promise: Promise<Result>) => driven(apiDriver(side.simulation.clock), promise);
  const volumeNames = ["a", "b", "own", "well"];
  side.groups = [
    { ...group, state: "stopped", why: failure, volumeNames },
    { ...group, name: "h", volumeNames: ["other"] },
  ];
  for (const name of volumeNames) await done(control.addVolume({ name, group: "g", source: `/${name}` }));
  await done(control.addVolume({ name: "other", group: "h", source: "/other" }));
  const fenced = (why: string, fencedBy: "group" | "volume"): Partial<VolumeFacts> => ({
    state: "fenced",
    why,
    fencedBy,
  });
  const change = (name: string, facts: Partial<VolumeFacts>): void =>
    void side.volumes.set(name, { ...volumeFacts(name), ...facts });
  change("a", fenced(failure, "group"));
  change("own", fenced(ownFailure, "volume"));
  // It was tried in vain before.
  change("b", fenced(`the group 'g' is stopped: ${failure}`, "group"));
  change("other", { ...fenced(failure, "group"), group: "h" });
  side.asked.length = 0;
  return { side, done, change, moved: () => done(control.moveSpool("a", undefined)) };
}

const moveSpool = { moveSpool: { group: "g" } };
const asked = [moveSpool, { unfence: { name: "a" } }, { unfence: { name: "b" } }];

const own = { volume: "own", why: ownFailure };

test("those that the group has fenced go back to work, whatever it says by now; others are left, and told of", async () => {
  const { side, moved } = await withFailedSpool();
  side.groups = [{ ...group, state: "stopped", why: "it failed for another reason last", volumeNames: ["a", "b"] }];
  expect((await moved()).stillFenced).toEqual([own]);
  expect(side.asked).toEqual(asked);
});

test("where one does not, the next is tried all the same, and the move is done with that said", async () => {
  const { side, moved } = await withFailedSpool();
  side.refusals.set("unfence", new Error("EBUSY: /a is in use"));
  const move = await moved();
  expect(side.asked).toEqual(asked);
  expect(move).toMatchObject({ name: "g", stillFenced: [{ volume: "a" }, { volume: "b" }, own] });
  expect(spoolMoveInWords(move)).toContain(
    "  a is still fenced: EBUSY: /a is in use; mend that, and then 'tidemark volume unfence a'\n",
  );
});

test("those whose sources do not answer are waited for together, and told of while they are held up", async () => {
  const { side, moved, change } = await withFailedSpool();
  const hung = Promise.withResolvers<void>();
  side.held.set("unfence", hung.promise);
  const { clock } = side.host;
  const beginMs = clock.monotonicMs();
  clock.timer(sidePatienceMs / 2, () => {
    for (const name of ["a", "b"]) change(name, { state: "redoing" });
  });
  const late = expect.stringContaining("has not answered for 30 s");
  const { stillFenced } = await moved();
  expect(clock.monotonicMs() - beginMs).toBeLessThan(2 * sidePatienceMs);
  expect(stillFenced).toEqual([{ volume: "a", why: late }, { volume: "b", why: late }, own]);
  hung.resolve();
});

test("where the group gets no spool, or has one that it opened by itself, it is said what takes its volumes back", async () => {
  const { side, moved } = await withFailedSpool();
  side.refusals.set("moveSpool", new RetryError("ENOSPC: it is tried again by itself"));
  await expect(moved()).rejects.toEqual(
    new RetryError(
      "ENOSPC: it is tried again by itself; when the group works, 'tidemark volume unfence NAME' takes a volume back to work: " +
        "fenced are 'a', 'b', 'own'",
    ),
  );
  expect(side.asked).toEqual([moveSpool]);
});
