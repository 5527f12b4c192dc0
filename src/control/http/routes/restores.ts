/** The part of the API that is about restores, and differences between points. */
import { nameCharactersMax } from "#src/core/limits.ts";
import type { JobReport } from "../../job.ts";
import type { RestoreControl } from "../../restore-control.ts";
import { apiPrefix, begun, done, type Route, route } from "../route.ts";
import { count, type FieldsOf, flag, object, optional, text } from "../schema.ts";
import { differenceReport } from "./shapes/history.ts";
import { jobReport, restoreReport } from "./shapes/job.ts";
import { pointCharactersMax, pointWords } from "./shapes/point-words.ts";

interface CopyBody {
  readonly target: string;
  readonly overwrite?: boolean;
  readonly verify?: boolean;
}

interface RestoreBody extends CopyBody {
  readonly volume: string;
  readonly point: string;
  readonly confirm?: string;
}

const copyFields: FieldsOf<CopyBody> = {
  target: text("a path on the remote appliance's machine, of a file that is made or of what is there, or an NBD URI"),
  overwrite: optional(flag("what the target holds may go")),
  verify: optional(flag("reads all of the target at the end (true)")),
};

const restoreBody = object<RestoreBody>({
  volume: text("the volume, or GROUP/VOLUME"),
  point: text(pointWords, { max: pointCharactersMax }),
  ...copyFields,
  confirm: optional(
    text("the volume's name once more, where the target is the volume itself", { max: nameCharactersMax }),
  ),
});

interface DifferenceQuery {
  readonly from: string;
  readonly to: string;
  readonly start?: number;
}

export function restoreRoutes(restores: RestoreControl): readonly Route[] {
  return [
    route({
      method: "POST",
      path: `${apiPrefix}/restores`,
      summary: "copies a point to a file, a device, an NBD server, or back onto its volume; answers the job",
      role: "operate",
      body: restoreBody,
      reply: restoreReport,
      statuses: { 202: "it waits, or is under way" },
      answer: async ({ body: { overwrite = false, verify = true, ...wish } }) => {
        const job = await restores.add({ ...wish, mayOverwrite: overwrite, isVerified: verify });
        return begun(job, ["jobs", String(job.id)]);
      },
    }),
    route({
      method: "POST",
      path: `${apiPrefix}/views/{view}/copies`,
      summary: "puts a view away, and copies it with what was written to it as a point is restored; answers the job",
      role: "operate",
      body: object<CopyBody>(copyFields),
      reply: jobReport,
      statuses: { 202: "it waits, or is under way" },
      answer: async ({ names, body: { target, overwrite = false, verify = true } }) => {
        const wish = { name: names.view, target, mayOverwrite: overwrite, isVerified: verify };
        const job = await restores.copyView(wish);
        return begun<JobReport>(job, ["jobs", String(job.id)]);
      },
    }),
    route({
      method: "GET",
      path: `${apiPrefix}/volumes/{volume}/diff`,
      summary: "ranges that differ between two points, the first of them; with next where to ask for more",
      role: "read",
      query: object<DifferenceQuery>({
        from: text(`a point: ${pointWords}`, { max: pointCharactersMax }),
        to: text("another point", { max: pointCharactersMax }),
        start: optional(count("a position: nothing before it")),
      }),
      reply: differenceReport,
      answer: async ({ names: { volume }, query: { from: first, to: second, start: fromByte = 0 } }) =>
        done(await restores.difference({ volume, first, second, fromByte })),
    }),
  ];
}
