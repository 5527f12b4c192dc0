/** The part of the API that is about the points of volumes. */
import { densityBucketsMax } from "#src/core/point-limits.ts";
import type { ViewControl } from "../../view-control.ts";
import { type HistoryWish, pointsReport } from "../../volume-history.ts";
import { apiPrefix, done, type Route, route } from "../route.ts";
import { count, flag, object, optional, text } from "../schema.ts";
import { densityReport, pointReport, pointsReport as pointsShape, timelineReport } from "./shapes/history.ts";
import { pointCharactersMax } from "./shapes/point-words.ts";

type SpanQuery = Pick<HistoryWish, "from" | "to">;

const bounds = { max: pointCharactersMax };
const spanQuery = object<SpanQuery>({
  from: optional(text("nothing before this point, in words", bounds)),
  to: optional(text("nothing behind this point, in words", bounds)),
});

interface DensityQuery {
  readonly from: string;
  readonly to?: string;
  readonly buckets?: number;
}

const densityQuery = object<DensityQuery>({
  from: text("from this point on, in words", bounds),
  to: optional(text("up to this point, in words; now unless told", bounds)),
  buckets: optional(count("of how many buckets (240)", { min: 1, max: densityBucketsMax })),
});

const bucketCountUsual = 240;
const one = `${apiPrefix}/volumes/{volume}` as const;

export function pointRoutes(views: ViewControl): readonly Route[] {
  return [
    route({
      method: "GET",
      path: `${one}/points`,
      summary: "in which ranges a volume has points, its marks and snapshots, and what is damaged",
      role: "read",
      query: spanQuery,
      reply: pointsShape,
      answer: async ({ names, query }) => done(pointsReport(await views.history({ volume: names.volume, ...query }))),
    }),
    route({
      method: "GET",
      path: `${one}/points/{point}`,
      summary: "what a point in words stands for",
      role: "read",
      query: object<{ readonly nearest?: boolean }>({
        nearest: optional(flag("what is no point stands for the last one before it")),
      }),
      reply: pointReport,
      answer: async ({ names: { volume, point }, query: { nearest = false } }) =>
        done(await views.point({ volume, point, isNearest: nearest })),
    }),
    route({
      method: "GET",
      path: `${one}/timeline`,
      summary: "the same as points with all that happened: modes, levels, sizes, epochs, gaps",
      role: "read",
      query: spanQuery,
      reply: timelineReport,
      answer: async ({ names, query }) => done(await views.history({ volume: names.volume, ...query })),
    }),
    route({
      method: "GET",
      path: `${one}/density`,
      summary: "how densely a volume was written to: writes and bytes by buckets of time, at a bounded cost",
      role: "read",
      query: densityQuery,
      reply: densityReport,
      answer: async ({ names: { volume }, query: { buckets: bucketCount = bucketCountUsual, ...span } }) =>
        done(await views.density({ volume, ...span, bucketCount })),
    }),
  ];
}
