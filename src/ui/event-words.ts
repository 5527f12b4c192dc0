/** Events as sentences. */
import { isText, type PageEvent } from "./event-log.ts";
import { bytesInWords, countInWords, sentence, spanInWords } from "./words.ts";

type Facts = PageEvent["facts"];

export function eventInWords({ kind, facts }: PageEvent): string {
  return `${sentence((sentences[kind] ?? anyInWords)(facts, kind))}${because(facts)}`;
}

const sentences: Readonly<Record<string, (facts: Facts, kind: string) => string>> = {
  mode: ({ group, from, to, wanted }) =>
    from === to ? `group ${group} is to be ${wanted}` : `group ${group} went from ${from} to ${to}`,
  link: ({ group, up }) => `the link of group ${group} is ${up === true ? "up again" : "down"}`,
  mark: ({ group, name, mark, seq }) =>
    `mark ${name ?? mark} was put into group ${group}${typeof seq === "number" ? `, seq ${countInWords(seq)}` : ""}`,
  lag: ({ group, lagging, seconds, bytes }) =>
    lagging === true
      ? `the remote is ${spanInWords(Number(seconds))} behind group ${group}, ${bytesInWords(Number(bytes))}`
      : `the remote has caught up with group ${group}`,
  snapshot: ({ made }) => `${made === 1 ? "a snapshot was" : `${made} snapshots were`} made`,
  alarm: ({ problem, on }) => (on === true ? String(problem) : `no more: ${problem}`),
  audit: ({ who, action, does, status }) =>
    `${isText(action) ? `${action} (${does})` : does} by ${who}${Number(status) < 400 ? "" : ", which was refused"}`,
  volume: ({ volume, state }) => `volume ${volume} is ${state}`,
  job: ({ job, work, state }) => `job ${job} (${work}) ${state === "over" ? "is over" : "is under way"}`,
  program: ({ state, version }) => (state === "started" ? `the program was started (${version})` : "the program ended"),
};

/** Of a program that is newer than this page knows. */
function anyInWords(facts: Facts, kind: string): string {
  return [kind, ...Object.entries(facts).map(([name, value]) => `${name} ${String(value)}`)].join(", ");
}

function because({ why }: Facts): string {
  return isText(why) ? `: ${why}` : "";
}
