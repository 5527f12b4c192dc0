/** The reference of metrics, their alerts and their dashboard: all of them speak of what there is. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { allMetrics } from "#src/control/metrics/all-metrics.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { metricsDocument } from "./metrics-document.ts";

const read = (path: string): string => readFileSync(join(projectRoot, path), "utf8");

/** What there is of Tidemark's own, as it stands in the text that is scraped. */
const known = new Set(
  allMetrics.flatMap(({ name, kind }) =>
    kind === "histogram" ? ["_bucket", "_sum", "_count"].map((end) => name + end) : [name],
  ),
);

function unknownIn(text: string): string[] {
  const named = [...text.matchAll(/\btidemark_([a-z_]+)/g)].map(([, name]) => name as string);
  return [...new Set(named)].filter((name) => !known.has(name));
}

/** Without what a formatter of tables adds. */
function loose(text: string): string {
  return text.replace(/ *\| */g, "|").replace(/-+/g, "-");
}

test("the reference says what the definitions say (docs/reference/metrics.md)", () => {
  expect(loose(read("docs/reference/metrics.md"))).toBe(loose(metricsDocument(allMetrics)));
});

test("alerts and the dashboard ask for nothing that there is not", () => {
  expect(unknownIn("rate(tidemark_none_total[1m]) / tidemark_lag_seconds")).toEqual(["none_total"]);
  expect(unknownIn(read("deploy/prometheus/tidemark.rules.yml"))).toEqual([]);
  expect(unknownIn(read("deploy/grafana/tidemark.json"))).toEqual([]);
});

test("each alert is tried in a situation, says what has happened and what to do", () => {
  const { groups } = parse(read("deploy/prometheus/tidemark.rules.yml")) as {
    groups: { rules: { alert: string; labels: { severity: string }; annotations: Record<string, string> }[] }[];
  };
  const tried = read("deploy/prometheus/tidemark.rules.test.yml");
  for (const { alert, labels, annotations } of groups.flatMap(({ rules }) => rules)) {
    expect(tried).toContain(`name: "${alert}: `);
    expect([alert, ["critical", "warning"].includes(labels.severity)]).toEqual([alert, true]);
    expect([alert, Object.keys(annotations)]).toEqual([alert, ["summary", "action"]]);
  }
});
