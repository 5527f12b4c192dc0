/**
 * How a group of the local appliance is opened: its state, its spool, its link to the remote, and what the remote alone has of
 * it after a loss of power.
 */
import { RetryError } from "#src/core/errors.ts";
import type { FaultHook } from "#src/host/faults.ts";
import type { Machine } from "#src/host/machine.ts";
import { whenDone } from "#src/host/when-done.ts";
import type { BatchPool } from "#src/records/batch-pool.ts";
import type { GroupHello, GroupLink, GroupLinkOwner } from "#src/wire/group-link.ts";
import type { Crowd } from "../crowd.ts";
import { helloOf } from "./group-hello.ts";
import type { GroupPolicy } from "./group-policy.ts";
import { LinkRelay, recoverLost } from "./group-recovery.ts";
import { openGroupSpool } from "./group-spool.ts";
import { beginLife, type NewGroup, openGroupState } from "./group-start.ts";
import { type GroupStateFile, modeAtEnd } from "./group-state.ts";
import { LocalGroup } from "./local-group.ts";
import type { Spool } from "./spool.ts";
import { readSpoolFacts } from "./spool-facts.ts";
import { spoolFolderOf } from "./spool-place.ts";

/** What all groups of an appliance have in common. */
export interface GroupSite {
  readonly machine: Machine;
  /** Must exist. Holds a folder `groups`, and in it one folder per group, named by its id. */
  readonly folder: string;
  readonly policy: GroupPolicy;
  /** Faults to order, where there are any. */
  readonly hook?: FaultHook | undefined;
  readonly connect: (owner: GroupLinkOwner) => GroupLink;
}

export interface OpeningSite extends GroupSite {
  readonly pool: BatchPool;
  readonly crowd: Crowd;
  /** Told of by the remote, to know two writers of a group apart. */
  readonly writer: string;
}

/** `lacksRoom` is called each time that the group's state has to wait for room, until the group is open. */
export async function openGroup(
  site: OpeningSite,
  create: NewGroup,
  lacksRoom: (state: GroupStateFile) => void,
): Promise<LocalGroup> {
  const { machine, policy, connect, hook, pool, crowd, writer } = site;
  const folder = `${site.folder}/groups/${create.id}`;
  machine.files.makeFolder(folder);
  await whenDone((done) => machine.files.syncFolder(`${site.folder}/groups`, done));
  const state = await openGroupState(machine, `${folder}/group.json`, create, lacksRoom);
  let spool: Spool | undefined;
  let link: GroupLink | undefined;
  let group: LocalGroup | undefined;
  try {
    const opened = await openGroupSpool(site, state, spoolFolderOf(folder, state.state));
    spool = opened;
    await state.update(beginLife(state.state, opened.lastSeq, machine.bootId, policy));
    const hello = (): GroupHello => helloOf(state.state, opened, { writer, bootId: machine.bootId });
    const relay = new LinkRelay(hello);
    link = connect(relay);
    // In the name of one that is lost nothing is fetched: the sources know what the remote lacks.
    if (state.state.epochSeq !== null && !state.state.isSpoolNew) await recoverLost(site, relay, link, opened);
    const facts = await readSpoolFacts(opened, modeAtEnd(state.state, opened));
    // Its record is durable now, and will not be in the spool for ever.
    if (facts.mode !== state.state.mode) {
      // Whoever asked for it may not have been noted either.
      await state.update({ mode: facts.mode, ...(facts.wasAskedFor ? { wantedMode: facts.mode } : {}) });
    }
    group = new LocalGroup({ machine, policy, pool, crowd, state, spool: opened, facts, link, hello, hook });
    await group.start();
    relay.handOver(group);
    if (relay.welcome !== undefined) group.up(relay.welcome);
    state.lacksRoom = () => {};
    return group;
  } catch (error) {
    // Another attempt has all of these anew, and would be at odds with them.
    group?.end();
    await link?.stop();
    spool?.close();
    state.end();
    await state.handOver();
    throw error;
  }
}

/** Of one that is not there yet, and is not begun. */
export function lacksRoomFor(name: string, cause: Error): RetryError {
  return new RetryError(
    `there is no room on the disk of the local appliance to begin group '${name}' (${cause.message}): make some, and try again`,
    { cause },
  );
}
