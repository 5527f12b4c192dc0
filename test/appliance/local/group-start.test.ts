import { expect, test } from "vitest";
import { defaultGroupPolicy } from "#src/appliance/local/group-policy.ts";
import { beginLife } from "#src/appliance/local/group-start.ts";
import type { GroupState } from "#src/appliance/local/group-state.ts";

const policy = { ...defaultGroupPolicy, seqReserve: 100 };
const running: GroupState = {
  id: "00",
  name: "g",
  life: 3,
  bootId: "boot-1",
  epoch: 2,
  seqCeiling: 500,
  epochSeq: null,
  stoppedAtSeq: null,
  incarnation: 1,
  spoolFolder: null,
  isSpoolNew: false,
  wantedMode: "async",
  mode: "async",
  volumes: [{ number: 1, id: "a", name: "v", sizeBytes: 4096, inDoubt: false, isNew: false }],
};

test("a group that was stopped in good order goes on, also on a machine that was restarted", () => {
  const begun = beginLife({ ...running, stoppedAtSeq: 420 }, 420, "boot-2", policy);
  expect(begun).toMatchObject({ life: 4, bootId: "boot-2", epochSeq: null, stoppedAtSeq: null });
  expect(begun.epoch).toBeUndefined();
  expect(begun.volumes).toBeUndefined();
});

test("a group that was killed goes on in the same epoch", () => {
  const begun = beginLife(running, 420, "boot-1", policy);
  expect(begun.epoch).toBeUndefined();
  expect(begun.epochSeq).toBeNull();
  expect(begun.seqCeiling).toBe(520);
});

test("after a loss of power a new epoch begins beyond all seqs that were ever given, and every volume is in doubt", () => {
  const begun = beginLife(running, 420, "boot-2", policy);
  expect(begun).toMatchObject({ epoch: 3, epochSeq: 501, seqCeiling: 601 });
  expect(begun.volumes?.every((volume) => volume.inDoubt)).toBe(true);
});

test("fault 9: killed before the epoch's first record was written, it is written by the next life", () => {
  const begun = { ...running, ...beginLife(running, 420, "boot-2", policy) };
  expect(beginLife(begun, 420, "boot-2", policy)).toMatchObject({ epochSeq: 501 });
  expect(beginLife(begun, 501, "boot-2", policy)).toMatchObject({ epochSeq: null });
});

test("fault 9: power lost again before that, the epoch after it begins further on", () => {
  const begun = { ...running, ...beginLife(running, 420, "boot-2", policy) };
  expect(beginLife(begun, 420, "boot-3", policy)).toMatchObject({ epoch: 4, epochSeq: 602 });
});

test("fault 20: a spool that was begun anew is new until something is found in it, whenever its first life ended", () => {
  const begun = { ...running, isSpoolNew: true, epochSeq: 501 };
  for (const bootId of ["boot-1", "boot-2"]) {
    expect(beginLife(begun, 0, bootId, policy)).toMatchObject({ isSpoolNew: true });
    expect(beginLife(begun, 501, bootId, policy)).toMatchObject({ isSpoolNew: false });
  }
});
