/** The part of the API that is about groups: modes, levels, marks. */
import { markPatienceMs, markPatienceMsMax, nameCharactersMax } from "#src/core/limits.ts";
import type { ControlPlane } from "../../control-plane.ts";
import type { GroupReport } from "../../readiness.ts";
import { type WantedMode, wantedModes } from "../../role.ts";
import type { EventDraft } from "../events/event.ts";
import { apiPrefix, done, type Route, route } from "../route.ts";
import { choice, count, flag, list, object, optional, text } from "../schema.ts";
import { groupReport, markReport, volumeLevel } from "./shapes/group.ts";
import { type Nothing, nothing } from "./shapes/nothing.ts";

export interface MarkBody {
  readonly name: string;
  readonly quiesced?: boolean;
  readonly withinMilliseconds?: number;
  readonly notAfterMilliseconds?: number;
}

const markBody = object<MarkBody>({
  name: text("what it is called", { max: nameCharactersMax }),
  quiesced: optional(flag("applications are at rest until the answer")),
  withinMilliseconds: optional(
    count("since it was asked for: what has no place in the order by then will be no mark", {
      ...{ min: 1, max: markPatienceMsMax },
    }),
  ),
  notAfterMilliseconds: optional(
    count("the same by the status's clockMilliseconds: it holds for a request that comes late, too"),
  ),
});

const never = Number.POSITIVE_INFINITY;

/** What is over for good. */
function endingRoutes(control: ControlPlane): readonly Route[] {
  return [
    route({
      method: "DELETE",
      path: `${apiPrefix}/groups/{group}`,
      summary: "ends a group that has no volumes any more; what the remote appliance has of it stays",
      role: "admin",
      reply: nothing,
      answer: async ({ names }) => {
        await control.removeGroup(names.group);
        return done<Nothing>({});
      },
    }),
    route({
      method: "DELETE",
      path: `${apiPrefix}/groups/{group}/volumes/{volume}`,
      summary: "ends a group's wait for a volume whose interceptor is lost; what the remote appliance has of it stays",
      role: "admin",
      query: object<{ readonly confirm?: string }>({
        confirm: optional(text("the volume's name once more: without that it is refused")),
      }),
      reply: nothing,
      answer: async ({ names: { group, volume }, query: { confirm } }) => {
        await control.forgetLost(group, volume, confirm === volume);
        return done<Nothing>({});
      },
    }),
  ];
}

/** `publish`: of what nobody would see who looks at the status alone. */
export function groupRoutes(control: ControlPlane, publish: (draft: EventDraft) => void): readonly Route[] {
  return [...workingRoutes(control, publish), ...endingRoutes(control)];
}

function workingRoutes(control: ControlPlane, publish: (draft: EventDraft) => void): readonly Route[] {
  return [
    route({
      method: "GET",
      path: `${apiPrefix}/groups`,
      summary: "all groups",
      role: "read",
      reply: object<{ readonly groups: readonly GroupReport[] }>({ groups: list(groupReport, "all of them") }),
      answer: async () => done({ groups: await control.groups() }),
    }),
    route({
      method: "PUT",
      path: `${apiPrefix}/groups/{group}/mode`,
      summary: "switches a group's mode, live; a volume's name stands for its group's",
      role: "operate",
      body: object<{ readonly mode: WantedMode }>({ mode: choice(wantedModes, "how writes are to be acknowledged") }),
      reply: groupReport,
      answer: async ({ names, body }) => done<GroupReport>(await control.setMode(names.group, body.mode)),
    }),
    route({
      method: "PUT",
      path: `${apiPrefix}/volumes/{volume}/level`,
      summary: "switches how far a volume's points are from each other, live",
      role: "operate",
      body: object<{ readonly level: string }>({
        level: text("every-write, or a time such as 10s, 1m or 1h", { max: nameCharactersMax }),
      }),
      reply: volumeLevel,
      answer: async ({ names, body }) => done(await control.setLevel(names.volume, body.level)),
    }),
    route({
      method: "POST",
      path: `${apiPrefix}/groups/{group}/marks`,
      summary: "puts a named consistency point into the order of a group; a volume's name stands for its group's",
      role: "operate",
      body: markBody,
      reply: markReport,
      statuses: { 201: "it is a point of every volume of the group" },
      answer: async ({ names, body: { name, quiesced = false, ...body }, arrivedMs }) => {
        const { withinMilliseconds: withinMs = markPatienceMs, notAfterMilliseconds: notAfterMs = never } = body;
        const deadlineMs = Math.min(arrivedMs + withinMs, notAfterMs);
        const value = await control.mark(names.group, { name, isQuiesced: quiesced, deadlineMs });
        const { group, seq } = value;
        publish({ kind: "mark", facts: { group, name, seq, quiesced } });
        return { status: 201, value };
      },
    }),
  ];
}
