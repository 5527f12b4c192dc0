/** The part of the API that is scraped. */
import type { Scrape } from "../../metrics/scrape.ts";
import type { Route } from "../route.ts";

export function metricsRoutes(scrape: Pick<Scrape, "read">): readonly Route[] {
  return [
    {
      kind: "plain",
      method: "GET",
      path: "/metrics",
      summary: "metrics, in the text format of Prometheus",
      role: "read",
      mediaType: "text/plain",
      answer: async () => {
        const { contentType, text } = await scrape.read();
        return { status: 200, headers: { "content-type": contentType, "cache-control": "no-store" }, body: text };
      },
    },
  ];
}
