/** The part of the API that is about volumes. */
import { nameCharactersMax } from "#src/core/limits.ts";
import type { ControlPlane, VolumeReport } from "../../control-plane.ts";
import { type TraceEntry, type ViewOrigin, wantedModes } from "../../role.ts";
import type { SpoolMove } from "../../spool-move.ts";
import type { ResizeRequest, VolumeRemoval, VolumeRequest } from "../../volume-keeper.ts";
import { apiPrefix, done, made, type Route, route } from "../route.ts";
import { choice, count, flag, list, object, optional, text, words } from "../schema.ts";
import { spoolMove } from "./shapes/group.ts";
import { nothing } from "./shapes/nothing.ts";
import { traceEntry, volumeReport } from "./shapes/volume.ts";

const all = `${apiPrefix}/volumes` as const;
const one = `${apiPrefix}/volumes/{volume}` as const;

const timeCharactersMax = 32;

const volumeRequest = object<VolumeRequest>({
  name: text("its name", { max: nameCharactersMax }),
  source: text("where its data is: a file, a block device, or the URI of an export of an NBD server"),
  group: optional(text("the group it joins; its own unless told", { max: nameCharactersMax })),
  mode: optional(choice(wantedModes, "the mode of a group that it begins")),
  sizeBytes: optional(count("makes the source, a sparse file of this size")),
  ofView: optional(
    object<ViewOrigin>({
      name: text("the view that the source is a copy of", { max: nameCharactersMax }),
      opened: text("when that was opened", { max: timeCharactersMax }),
    }),
  ),
});

const resizeRequest = object<ResizeRequest>({
  sizeBytes: count("what it is to have"),
  confirm: optional(text("its name once more, where it is made smaller", { max: nameCharactersMax })),
});

interface RemovalQuery {
  readonly force?: boolean;
  readonly confirm?: string;
}

export function volumeRoutes(control: ControlPlane): readonly Route[] {
  return [...keepingRoutes(control), ...mendingRoutes(control)];
}

function keepingRoutes(control: ControlPlane): readonly Route[] {
  return [
    route({
      method: "GET",
      path: all,
      summary: "all volumes",
      role: "read",
      reply: object<{ readonly volumes: readonly VolumeReport[] }>({ volumes: list(volumeReport, "all of them") }),
      answer: async () => done({ volumes: await control.volumes() }),
    }),
    route({
      method: "POST",
      path: all,
      summary: "adds a volume, and opens its export",
      role: "admin",
      body: volumeRequest,
      reply: volumeReport,
      statuses: { 201: "it is protected from now on" },
      answer: async ({ body }) => {
        const volume = await control.addVolume(body);
        return made(volume, ["volumes", volume.name]);
      },
    }),
    route({
      method: "GET",
      path: one,
      summary: "one volume",
      role: "read",
      reply: volumeReport,
      answer: async ({ names }) => done(await control.volume(names.volume)),
    }),
    route({
      method: "PATCH",
      path: one,
      summary: "resizes a volume; hosts are hung up on, and find the new size when they come again",
      role: "admin",
      body: resizeRequest,
      reply: volumeReport,
      answer: async ({ names, body }) => done(await control.resizeVolume(names.volume, body)),
    }),
    route({
      method: "DELETE",
      path: one,
      summary: "ends the protection of a volume; its source stays as it is",
      role: "admin",
      query: object<RemovalQuery>({
        force: optional(flag("although hosts are attached")),
        confirm: optional(text("the volume's name once more: without that it is refused")),
      }),
      reply: object<VolumeRemoval>({
        sourceHeld: optional(words("by what its source is still held, and what that means; absent: it was let go of")),
      }),
      answer: async ({ names: { volume }, query: { force = false, confirm } }) =>
        done(await control.removeVolume(volume, { isForced: force, isConfirmed: confirm === volume })),
    }),
  ];
}

function mendingRoutes(control: ControlPlane): readonly Route[] {
  return [
    route({
      method: "POST",
      path: `${one}/unfence`,
      summary: "takes a volume whose source had failed back to work",
      role: "operate",
      body: nothing,
      reply: volumeReport,
      answer: async ({ names }) => done(await control.unfence(names.volume)),
    }),
    route({
      method: "POST",
      path: `${one}/resync`,
      summary: "copies all of a volume's source into the journal again, since somebody else has changed it",
      role: "operate",
      body: nothing,
      reply: volumeReport,
      answer: async ({ names }) => done(await control.resync(names.volume)),
    }),
    route({
      method: "POST",
      path: `${one}/spool`,
      summary: "begins a new spool for the volume's group, whose old one is lost; answers the group",
      role: "admin",
      body: object<{ readonly folder?: string }>({
        folder: optional(text("an existing folder, such as on another disk")),
      }),
      reply: spoolMove,
      answer: async ({ names, body }) => done<SpoolMove>(await control.moveSpool(names.volume, body.folder)),
    }),
    route({
      method: "GET",
      path: `${one}/trace`,
      summary: "the life of the last single writes since they were first asked for; ends when nobody asks any more",
      role: "read",
      reply: object<{ readonly entries: readonly TraceEntry[] }>({ entries: list(traceEntry, "the newest last") }),
      answer: async ({ names }) => done({ entries: await control.trace(names.volume) }),
    }),
  ];
}
