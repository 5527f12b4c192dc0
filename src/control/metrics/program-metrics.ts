/** What the program tells of itself. */
import type { Metric } from "./metric.ts";
import { known } from "./metric.ts";

export const programMetrics: readonly Metric[] = [
  {
    name: "build_info",
    kind: "gauge",
    help: "1, with the version of Tidemark and of the runtime.",
    labels: ["version", "runtime"],
    read: ({ version, runtime }) => [{ labels: { version, runtime }, value: 1 }],
  },
  {
    name: "role_up",
    kind: "gauge",
    help: "1 where the role answers. 0: it is held up, and nothing of what it has told before is shown.",
    labels: ["role"],
    read: ({ roles }) => roles.map(({ role, isUp }) => ({ labels: { role }, value: isUp ? 1 : 0 })),
  },
  {
    name: "ready",
    kind: "gauge",
    help: "1 where every volume and every group can take writes, as /readyz says.",
    labels: [],
    read: ({ isReady }) => [{ labels: {}, value: isReady ? 1 : 0 }],
  },
  {
    name: "problems",
    kind: "gauge",
    help: "What is not as it should be, counted; 'tidemark status' has it in words.",
    labels: [],
    read: ({ problemCount }) => [{ labels: {}, value: problemCount }],
  },
  {
    name: "certificate_end_timestamp_seconds",
    kind: "gauge",
    help: "When the certificate that is shown to others ends: to hosts (nbd), to the other appliance (wire), to clients of the API (http).",
    labels: ["use"],
    read: ({ certificates }) => certificates.map(({ use, endsMs }) => ({ labels: { use }, value: endsMs / 1000 })),
  },
  {
    name: "history_keep_seconds",
    kind: "gauge",
    help: "How long history is to be kept, as configured; absent where all of it is, or on a machine without the store.",
    labels: [],
    read: ({ terms, store }) => (store === undefined ? [] : known({}, terms.keepSeconds)),
  },
  {
    name: "scrub_period_seconds",
    kind: "gauge",
    help: "How often everything is to be scrubbed, as configured; absent where that is never, or on a machine without the store.",
    labels: [],
    read: ({ terms, store }) => (store === undefined ? [] : known({}, terms.scrubSeconds)),
  },
];
