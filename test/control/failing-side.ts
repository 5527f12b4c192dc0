/** A side that finds a fault of its own when it is asked to start, and refuses to measure. */

import type { SideActions } from "#src/control/side.ts";
import { serveSide } from "#src/control/side-server.ts";
import { assert } from "#src/core/assert.ts";
import { RefuseError } from "#src/core/errors.ts";
import type { MessageLine } from "#src/host/thread.ts";

export function runThread(line: MessageLine): void {
  const unused = async (): Promise<never> => {
    throw new Error("this test does not ask for it");
  };
  const actions: SideActions = {
    start: async () => {
      assert(false, "a fault of this program");
    },
    measure: async () => {
      throw new RefuseError("the source is mounted");
    },
    unmake: unused,
    facts: unused,
    addVolume: unused,
    releaseVolume: unused,
    removeVolume: unused,
    forgetVolume: unused,
    forgetLost: unused,
    unfence: unused,
    resync: unused,
    moveSpool: unused,
    setMode: unused,
    setLevel: unused,
    mark: unused,
    removeGroup: unused,
    trace: unused,
    jobs: unused,
    addJob: unused,
    cancelJob: unused,
    retryStore: unused,
    storeKeys: unused,
    addStoreKey: unused,
    removeStoreKey: unused,
    snapshots: unused,
    makeSnapshot: unused,
    removeSnapshot: unused,
    inspectSnapshot: unused,
    views: unused,
    history: unused,
    density: unused,
    point: unused,
    difference: unused,
    addRestore: unused,
    openView: unused,
    reopenView: unused,
    renewView: unused,
    copyView: unused,
    closeView: unused,
    drills: unused,
    noteDrill: unused,
    noteRefusedDrill: unused,
    reconfigure: unused,
    stop: unused,
  };
  serveSide(line, actions);
}
