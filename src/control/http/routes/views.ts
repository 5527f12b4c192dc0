/** The part of the API that is about views. */
import { nameCharactersMax } from "#src/core/limits.ts";
import { viewLeaseMs } from "#src/core/view-limits.ts";
import type { ViewFacts } from "../../view.ts";
import type { ViewClosing } from "../../view-closing.ts";
import type { ViewControl } from "../../view-control.ts";
import { apiPrefix, done, made, type Route, route } from "../route.ts";
import { count, flag, list, object, optional, text } from "../schema.ts";
import { type Nothing, nothing } from "./shapes/nothing.ts";
import { pointCharactersMax, pointWords } from "./shapes/point-words.ts";
import { viewFacts } from "./shapes/view.ts";

interface ViewBody {
  readonly volume: string;
  readonly point: string;
  readonly nearest?: boolean;
  readonly writable?: boolean;
  readonly leased?: boolean;
  readonly name?: string;
  readonly since?: string;
}

const viewBody = object<ViewBody>({
  volume: text("the volume, or GROUP/VOLUME"),
  point: text(pointWords, { max: pointCharactersMax }),
  nearest: optional(flag("what is no point stands for the last one before it")),
  writable: optional(flag("it may be written to; that goes aside")),
  leased: optional(flag(`it goes, with what was written, when it is not renewed for ${viewLeaseMs / 1000} seconds`)),
  name: optional(text("of its export", { max: nameCharactersMax })),
  since: optional(
    text("points, with commas between: for each a metadata context qemu:dirty-bitmap:NAME; NAME=POINT names it"),
  ),
});

interface ClosingQuery {
  readonly discard?: boolean;
  readonly keep?: boolean;
  readonly changes?: number;
  readonly copied?: string;
}

/** What loses least counts. Where nothing is said it must not have been written to. */
function closingOf({ discard, keep, changes, copied }: ClosingQuery): ViewClosing {
  if (keep === true) return "kept";
  if (copied !== undefined) return { copiedTo: copied };
  if (changes !== undefined) return { changes };
  return discard === true ? "discarded" : "unwritten";
}

const one = `${apiPrefix}/views/{view}` as const;

export function viewRoutes(views: ViewControl): readonly Route[] {
  return [
    route({
      method: "GET",
      path: `${apiPrefix}/views`,
      summary: "all views",
      role: "read",
      reply: object<{ readonly views: readonly ViewFacts[] }>({ views: list(viewFacts, "all of them") }),
      answer: async () => done({ views: await views.all() }),
    }),
    openingRoute(views),
    route({
      method: "GET",
      path: one,
      summary: "one view",
      role: "read",
      reply: viewFacts,
      answer: async ({ names }) => done(await views.one(names.view)),
    }),
    route({
      method: "POST",
      path: `${one}/open`,
      summary: "opens a view again that was put away, with what was written to it",
      role: "operate",
      body: nothing,
      reply: viewFacts,
      answer: async ({ names }) => done(await views.reopen(names.view)),
    }),
    route({
      method: "POST",
      path: `${one}/renew`,
      summary: "says of a leased view that somebody still holds it",
      role: "operate",
      isUnnoted: true,
      body: nothing,
      reply: nothing,
      answer: async ({ names }) => {
        await views.renew(names.view);
        return done<Nothing>({});
      },
    }),
    route({
      method: "DELETE",
      path: one,
      summary: "closes a view; what was written to it must be thrown away or kept",
      role: "operate",
      query: object<ClosingQuery>({
        discard: optional(flag("what was written to it is thrown away")),
        keep: optional(flag("it is put away with what was written to it, until it is opened again")),
        changes: optional(count("it is thrown away only if it is open, and was written to so often")),
        copied: optional(
          text("it is thrown away only if all of it was copied to this path, and it was not opened since"),
        ),
      }),
      reply: nothing,
      answer: async ({ names, query }) => {
        await views.close(names.view, closingOf(query));
        return done<Nothing>({});
      },
    }),
  ];
}

function openingRoute(views: ViewControl): Route {
  return route({
    method: "POST",
    path: `${apiPrefix}/views`,
    summary: "opens a point of a volume as an export, and pins it",
    role: "operate",
    body: viewBody,
    reply: viewFacts,
    statuses: { 201: "it can be attached" },
    answer: async ({ body: { volume, point, nearest, writable = false, leased, name, since } }) => {
      const view = await views.open({
        ...{ volume, point, isWritable: writable },
        ...(nearest === true ? { isNearest: true } : {}),
        ...(leased === true ? { isLeased: true } : {}),
        ...(name === undefined ? {} : { name }),
        ...(since === undefined ? {} : { since: since.split(",") }),
      });
      return made(view, ["views", view.name]);
    },
  });
}
