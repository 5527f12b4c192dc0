/** All of the control API. */
import type { MarkRequest } from "#src/appliance/local/group-marks.ts";
import { markPatienceMs, markPatienceMsMax, nameCharactersMax } from "#src/core/limits.ts";
import { type ControlPlane, UnknownNameError } from "../control-plane.ts";
import { type WantedMode, wantedModes } from "../role.ts";
import type { ResizeRequest, VolumeRequest } from "../volume-keeper.ts";
import { ProblemError } from "./problem.ts";
import { confirmation, json, type Route } from "./route.ts";
import type { Fields, Shape } from "./shape.ts";

export const apiPrefix = "/api/v1";

const volumeShape: Shape = {
  name: { type: "string", isRequired: true, max: nameCharactersMax, description: "its name" },
  source: {
    type: "string",
    isRequired: true,
    description: "where its data is: a file, a block device, or the URI of an export of an NBD server",
  },
  group: {
    type: "string",
    isRequired: false,
    max: nameCharactersMax,
    description: "the group it joins; its own unless told",
  },
  mode: { type: "string", isRequired: false, values: wantedModes, description: "the mode of a group that it begins" },
  sizeBytes: { type: "integer", isRequired: false, description: "makes the source, a sparse file of this size" },
};

const resizeShape: Shape = {
  sizeBytes: { type: "integer", isRequired: true, description: "what it is to have" },
  confirm: {
    type: "string",
    isRequired: false,
    max: nameCharactersMax,
    description: "its name once more, where it is made smaller",
  },
};

const spoolShape: Shape = {
  folder: { type: "string", isRequired: false, description: "an existing folder, such as on another disk" },
};

const modeShape: Shape = {
  mode: { type: "string", isRequired: true, values: wantedModes, description: "how writes are to be acknowledged" },
};

const markShape: Shape = {
  name: { type: "string", isRequired: true, max: nameCharactersMax, description: "what it is called" },
  quiesced: { type: "boolean", isRequired: false, description: "applications are at rest until the answer" },
  withinMilliseconds: {
    type: "integer",
    isRequired: false,
    max: markPatienceMsMax,
    description: "if there is no room for it in the order by then, there will be no mark",
  },
};

export function routesOf(control: ControlPlane): Route[] {
  return [...volumeRoutes(control), resizeRoute(control), ...groupRoutes(control), ...healthRoutes(control)].map(
    (route) => ({
      ...route,
      answer: (names, fields, flags) => named(route.answer(names, fields, flags)),
    }),
  );
}

function volumeRoutes(control: ControlPlane): Route[] {
  const one = `${apiPrefix}/volumes/{v}`;
  return [
    {
      method: "GET",
      path: `${apiPrefix}/volumes`,
      summary: "all volumes",
      answer: async () => json(200, { volumes: (await control.status()).volumes }),
    },
    {
      method: "POST",
      path: `${apiPrefix}/volumes`,
      summary: "adds a volume, and opens its export",
      shape: volumeShape,
      answer: async (_, fields) => {
        const volume = await control.addVolume(fields as unknown as VolumeRequest);
        return json(201, volume, { location: `${apiPrefix}/volumes/${volume.name}` });
      },
    },
    {
      method: "GET",
      path: one,
      summary: "one volume",
      answer: async ([name = ""]) => json(200, await control.volume(name)),
    },
    {
      method: "DELETE",
      path: one,
      summary: "ends the protection of a volume; its source stays as it is. With force although hosts are attached",
      flags: ["force"],
      isConfirmed: true,
      answer: async ([name = ""], _, flags) => {
        await control.removeVolume(name, { isForced: flags.has("force"), isConfirmed: flags.has(confirmation) });
        return json(200, {});
      },
    },
    {
      method: "POST",
      path: `${one}/unfence`,
      summary: "takes a volume whose source had failed back to work",
      shape: {},
      answer: async ([name = ""]) => json(200, await control.unfence(name)),
    },
    {
      method: "POST",
      path: `${one}/resync`,
      summary: "copies all of a volume's source into the journal again, since somebody else has changed it",
      shape: {},
      answer: async ([name = ""]) => json(200, await control.resync(name)),
    },
    {
      method: "POST",
      path: `${one}/spool`,
      summary: "begins a new spool for the volume's group, whose old one is lost; answers the group",
      shape: spoolShape,
      answer: async ([name = ""], { folder }) => json(200, await control.moveSpool(name, folder as string | undefined)),
    },
    {
      method: "GET",
      path: `${one}/trace`,
      summary: "the life of the last single writes since they were first asked for; ends when nobody asks any more",
      answer: async ([name = ""]) => json(200, { entries: await control.trace(name) }),
    },
  ];
}

function resizeRoute(control: ControlPlane): Route {
  return {
    method: "PATCH",
    path: `${apiPrefix}/volumes/{v}`,
    summary: "resizes a volume; hosts are hung up on, and find the new size when they come again",
    shape: resizeShape,
    answer: async ([name = ""], fields) =>
      json(200, await control.resizeVolume(name, fields as unknown as ResizeRequest)),
  };
}

function groupRoutes(control: ControlPlane): Route[] {
  return [
    {
      method: "GET",
      path: `${apiPrefix}/groups`,
      summary: "all groups",
      answer: async () => json(200, { groups: (await control.status()).groups }),
    },
    {
      method: "DELETE",
      path: `${apiPrefix}/groups/{g}`,
      summary: "ends a group that has no volumes any more; what the remote appliance has of it stays",
      answer: async ([name = ""]) => {
        await control.removeGroup(name);
        return json(200, {});
      },
    },
    {
      method: "PUT",
      path: `${apiPrefix}/groups/{g}/mode`,
      summary: "switches a group's mode, live",
      shape: modeShape,
      answer: async ([name = ""], { mode }) => json(200, await control.setMode(name, mode as WantedMode)),
    },
    {
      method: "POST",
      path: `${apiPrefix}/groups/{g}/marks`,
      summary: "puts a named consistency point into the order of a group",
      shape: markShape,
      answer: async ([name = ""], fields) => json(201, await control.mark(name, markRequest(fields))),
    },
  ];
}

function markRequest({ name, quiesced, withinMilliseconds }: Fields): MarkRequest {
  return {
    name: name as string,
    isQuiesced: quiesced === true,
    withinMs: (withinMilliseconds as number | undefined) ?? markPatienceMs,
  };
}

function healthRoutes(control: ControlPlane): Route[] {
  return [
    {
      method: "GET",
      path: `${apiPrefix}/status`,
      summary: "all that there is to know",
      answer: async () => json(200, await control.status()),
    },
    {
      method: "GET",
      path: "/healthz",
      summary: "whether the program runs",
      isOpen: true,
      answer: async () => json(200, { status: "running" }),
    },
    {
      method: "GET",
      path: "/readyz",
      summary: "whether it does what it is for",
      isOpen: true,
      answer: async () => {
        const { ready, why } = await control.status();
        return json(ready ? 200 : 503, { ready, ...(why === undefined ? {} : { why }) });
      },
    },
  ];
}

async function named<Result>(answer: Promise<Result>): Promise<Result> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof UnknownNameError) throw new ProblemError(404, error.message);
    throw error;
  }
}
