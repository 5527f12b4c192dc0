/** The thread of the remote side. */
import { assert } from "#src/core/assert.ts";
import type { MessageLine } from "#src/host/thread.ts";
import { noFarewell } from "./farewell.ts";
import { RemotePart } from "./remote-part.ts";
import { noFacts, type SideActions, type SideSettings } from "./side.ts";
import { sideMachine } from "./side-machine.ts";
import { serveSide } from "./side-server.ts";

export function runThread(line: MessageLine, settings: SideSettings): void {
  let part: RemotePart | undefined;
  const absent = async (): Promise<never> => {
    assert(false, "the remote side is asked for what it has");
  };
  const actions: SideActions = {
    start: async () => {
      part = await RemotePart.start(sideMachine(settings.config, "remote"), settings);
      return null;
    },
    facts: async () =>
      part === undefined
        ? noFacts
        : { ...noFacts, remoteGroups: part.groups(), store: part.store, wireAddress: part.address },
    stop: async () => {
      await part?.stop();
      const groups = part?.groups() ?? [];
      return { ...noFarewell, remoteGroups: groups.map(({ id, received, durable }) => ({ id, received, durable })) };
    },
    measure: absent,
    unmake: absent,
    addVolume: absent,
    releaseVolume: absent,
    removeVolume: absent,
    unfence: absent,
    resync: absent,
    moveSpool: absent,
    setMode: absent,
    mark: absent,
    removeGroup: absent,
    trace: absent,
  };
  serveSide(line, actions);
}
