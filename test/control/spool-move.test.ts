/** What becomes of a group's volumes when its spool is moved. */
import { expect, test } from "vitest";
import { spoolMoveInWords } from "#src/cli/volume.ts";
import type { VolumeFacts } from "#src/control/role.ts";
import { driven } from "#test/contract/driver.ts";
import { apiDriver } from "./http/api-driver.ts";
import { group, ScriptedSide, volumeFacts } from "./http/scripted-side.ts";

const failure = "the spool in /s could not be synced: EIO";

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
  const fenced = (why: string): Partial<VolumeFacts> => ({ state: "fenced", why });
  const change = (name: string, facts: Partial<VolumeFacts>): void =>
    void side.volumes.set(name, { ...volumeFacts(name), ...facts });
  change("a", fenced(failure));
  change("own", fenced("EIO: read of /own"));
  change("b", fenced(failure));
  change("other", { ...fenced(failure), group: "h" });
  side.asked.length = 0;
  return { side, done, moved: () => done(control.moveSpool("a", undefined)) };
}

const moveSpool = { moveSpool: { group: "g" } };
const asked = [moveSpool, { unfence: { name: "a" } }, { unfence: { name: "b" } }];

test("those that the old spool's failure has fenced go back to work, and no other is touched", async () => {
  const { side, moved } = await withFailedSpool();
  expect(await moved()).not.toHaveProperty("stillFenced");
  expect(side.asked).toEqual(asked);
});

test("where one does not, the next is tried all the same, and the move is done with that said", async () => {
  const { side, moved } = await withFailedSpool();
  side.refusals.set("unfence", new Error("EBUSY: /a is in use"));
  const move = await moved();
  expect(side.asked).toEqual(asked);
  expect(move).toMatchObject({ name: "g", stillFenced: [{ volume: "a" }, { volume: "b" }] });
  expect(spoolMoveInWords(move)).toContain(
    "  a is still fenced: EBUSY: /a is in use; mend that, and then 'tidemark volume unfence a'\n",
  );
});

test("a source that fenced its volume is no matter of a spool that works", async () => {
  const { side, moved } = await withFailedSpool();
  side.groups = [{ ...group, refusal: "an old copy", volumeNames: ["a", "b"] }];
  await moved();
  expect(side.asked).toEqual([moveSpool]);
});
