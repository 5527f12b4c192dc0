/** The reference of all metrics, as their definitions say. */
import type { Metric } from "#src/control/metrics/metric.ts";
import { metricPrefix } from "#src/control/metrics/metric.ts";

const begin = `# Metrics

\`GET /metrics\` on the address of the control API (\`http.host\`, \`http.port\`) answers these in the text format of Prometheus. Every
program has it: the one with all roles, and each role on its host, with what it knows. Where the API has tokens, one that may read is
needed.

- What is not known is absent, never 0. A role that does not answer has \`tidemark_role_up 0\`, and nothing of what it told before.
- Where several groups at a remote appliance have one name their label has the id beside it: \`disk (0123…)\`.
- Counters begin anew with each start of the program, or of the part that counts: \`rate\` and \`increase\` know that.
- Every name has the prefix \`${metricPrefix}\`. What Node tells of itself (\`process_…\`, \`nodejs_…\`) comes along, of the main thread.

Alert rules for Prometheus are in [deploy/prometheus](../../deploy/prometheus/tidemark.rules.yml), a dashboard for Grafana is in
[deploy/grafana](../../deploy/grafana/tidemark.json). This page is written from the definitions.

| metric | type | labels | what it is |
| --- | --- | --- | --- |
`;

export function metricsDocument(metrics: readonly Metric[]): string {
  const rows = metrics.map(({ name, kind, labels, help }) => {
    const named = labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${name}\` | ${kind} | ${named} | ${help} |`;
  });
  return `${begin}${rows.join("\n")}\n`;
}
