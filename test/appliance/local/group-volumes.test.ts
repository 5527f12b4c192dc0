import { expect, test } from "vitest";
import { type GroupState, GroupStateFile } from "#src/appliance/local/group-state.ts";
import { GroupVolumes } from "#src/appliance/local/group-volumes.ts";
import { VolumeCuts } from "#src/appliance/local/volume-cuts.ts";
import { Simulation } from "#test/sim/simulation.ts";

const state: GroupState = {
  id: "g",
  name: "g",
  life: 1,
  bootId: "boot",
  epoch: 1,
  seqCeiling: 100,
  epochSeq: null,
  stoppedAtSeq: null,
  incarnation: 7,
  spoolFolder: null,
  isSpoolNew: false,
  wantedMode: "async",
  mode: "async",
  volumes: [{ number: 1, id: "aa", name: "disk", sizeBytes: 4096, inDoubt: false, isNew: true }],
};

test("nothing of a volume leaves the spool before it is noted durably that the group has met it", async () => {
  const simulation = new Simulation(1);
  const host = simulation.host("source-site");
  const creating = GroupStateFile.create(host, "/group.json", state);
  await simulation.clock.settle();
  const file = await creating;
  const told: number[] = [];
  const volumes = new GroupVolumes(file, { ordinals: new Map(), cuts: new VolumeCuts() }, 0, {
    noted: () => told.push(volumes.releasableSeq(20)),
    failed: (error) => expect.unreachable(error.message),
  });
  volumes.ordinalsOf(1).add(5, 10);
  volumes.ordinalsOf(1).reportDurable(5);
  expect(volumes.releasableSeq(20)).toBe(20);
  volumes.tookNote(1);
  expect(volumes.releasableSeq(20)).toBe(0);
  await simulation.clock.settle();
  expect(told).toEqual([20]);
  expect(GroupStateFile.read(host, "/group.json")?.state.volumes[0]?.isNew).toBe(false);
});
