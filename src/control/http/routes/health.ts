/** Whether the program runs, and does what it is for: for whoever watches over it. */
import type { ControlPlane } from "../../control-plane.ts";
import { done, type Route, route } from "../route.ts";
import { choice, flag, object, optional, words } from "../schema.ts";

export function healthRoutes(control: ControlPlane): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/healthz",
      summary: "whether the program runs",
      role: "open",
      reply: object<{ readonly status: "running" }>({ status: choice(["running"], "it does") }),
      answer: async () => done({ status: "running" as const }),
    }),
    route({
      method: "GET",
      path: "/readyz",
      summary: "whether it does what it is for",
      role: "open",
      reply: object<{ readonly ready: boolean; readonly why?: string }>({
        ready: flag("every volume and every group takes writes"),
        why: optional(words("why not; told to those who may read")),
      }),
      statuses: { 200: "it does", 503: "it does not" },
      answer: async ({ caller }) => {
        const { ready, why } = await control.status();
        // Names of volumes and places are nobody's business who may not ask for the status.
        const told = why === undefined || caller.isStranger === true ? {} : { why };
        return { status: ready ? 200 : 503, value: { ready, ...told } };
      },
    }),
  ];
}
