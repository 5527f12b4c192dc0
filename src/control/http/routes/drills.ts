/** The part of the API that is about drills. */
import { type DrillOutcome, drillOutcomes, type RefusedDrill } from "../../drill.ts";
import type { ViewControl } from "../../view-control.ts";
import { apiPrefix, done, type Route, route } from "../route.ts";
import { choice, count, object, optional, text } from "../schema.ts";
import { drillReport, drillsReport } from "./shapes/history.ts";
import { pointCharactersMax, pointWords } from "./shapes/point-words.ts";

interface DrillBody {
  readonly view: string;
  readonly outcome: DrillOutcome;
  readonly command: string;
  readonly milliseconds: number;
  readonly why?: string;
}

const drillBody = object<DrillBody>({
  view: text("the view on which a command was run; it is still open"),
  outcome: choice(drillOutcomes, "what it says of the view's point"),
  command: text("which command"),
  milliseconds: count("how long it took"),
  why: optional(text("why it failed")),
});

const refusedBody = object<RefusedDrill>({
  volume: text("the volume, or GROUP/VOLUME"),
  point: text(pointWords, { max: pointCharactersMax }),
  command: text("which command was to be run"),
});

export function drillRoutes(views: ViewControl): readonly Route[] {
  return [
    route({
      method: "GET",
      path: `${apiPrefix}/drills`,
      summary: "the recovery tests that there were",
      role: "read",
      reply: drillsReport,
      answer: async () => done(await views.drills()),
    }),
    route({
      method: "POST",
      path: `${apiPrefix}/drills`,
      summary: "notes what came of a recovery test on a view: its point is proven, or has failed",
      role: "operate",
      body: drillBody,
      reply: drillReport,
      statuses: { 201: "it is noted" },
      answer: async ({ body: { milliseconds: durationMs, ...note } }) => ({
        status: 201,
        value: await views.noteDrill({ ...note, durationMs }),
      }),
    }),
    route({
      method: "POST",
      path: `${apiPrefix}/drills/refused`,
      summary:
        "notes that a recovery test has failed since its point is lost: that is looked at once more, and refused where it is not so",
      role: "operate",
      body: refusedBody,
      reply: drillReport,
      statuses: { 201: "it is noted" },
      answer: async ({ body }) => ({ status: 201, value: await views.noteRefusedDrill(body) }),
    }),
  ];
}
