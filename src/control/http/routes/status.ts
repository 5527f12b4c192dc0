/** All that there is to know. */
import type { ControlPlane } from "../../control-plane.ts";
import { apiPrefix, done, type Route, route } from "../route.ts";
import { statusReport } from "./shapes/status.ts";

export function statusRoutes(control: ControlPlane): readonly Route[] {
  return [
    route({
      method: "GET",
      path: `${apiPrefix}/status`,
      summary: "all that there is to know",
      role: "read",
      reply: statusReport,
      answer: async () => done(await control.status()),
    }),
  ];
}
