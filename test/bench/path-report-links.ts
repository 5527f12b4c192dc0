/** What aggregated saves of the link, in words and tables. */
import { table } from "./markdown.ts";
import { hotSpotBytesGoal, hotSpotRateGoal, thinLinkLagGoal, thinLinkRateGoal } from "./path-cases.ts";
import { compareBy, type HotSpotFigures, type ThinLinkFigures } from "./path-results.ts";
import { factor, type Goal, goalText, rate } from "./path-words.ts";
import { roundDown, roundUp } from "./rounding.ts";

const MiB = 1024 ** 2;

interface Judged {
  readonly value: number;
  readonly met: boolean;
}

function hotSpotRatios({ contenders }: HotSpotFigures): { readonly bytes: Judged; readonly rate: Judged } {
  const [async, aggregated] = contenders;
  if (async === undefined || aggregated === undefined) throw new Error("both modes are measured");
  const { ratio } = compareBy("rate", aggregated.figures, async.figures, null);
  const bytes = roundUp(aggregated.shippedBytesPerWrite / async.shippedBytesPerWrite, 2);
  return {
    bytes: { value: bytes, met: bytes <= hotSpotBytesGoal },
    rate: { value: ratio, met: ratio >= hotSpotRateGoal },
  };
}

export function hotSpotGoals(figures: HotSpotFigures): Goal[] {
  const { bytes, rate: ratio } = hotSpotRatios(figures);
  return [
    {
      met: bytes.met,
      text: `hot spots: aggregated ships ${factor(bytes.value)} the bytes of async, where at most ${hotSpotBytesGoal} is the goal`,
    },
    {
      met: ratio.met,
      text: `hot spots: aggregated has ${factor(ratio.value)} the rate of async, where at least ${hotSpotRateGoal} is the goal`,
    },
  ];
}

export function hotSpotText(figures: HotSpotFigures): string {
  const { volumeBytes, seconds, contenders } = figures;
  const about = [
    "4 KiB random writes at depth 32, in memory, nine tenths of them to one hundredth of a volume of",
    `${volumeBytes / MiB} MiB, for ${seconds} s. What is shipped is counted until the remote has all.`,
  ].join("\n");
  const rows = contenders.map(({ figures: one, shippedBytesPerWrite }) => [
    one.server,
    rate(one, 0),
    `${shippedBytesPerWrite.toFixed(0)}`,
    one.latencyP50UsMedian.toFixed(0),
    one.latencyP999UsMedian.toFixed(0),
    one.cpuUsPerIo.toFixed(1),
    one.settleSecondsMedian.toFixed(2),
  ]);
  const header = [
    "Mode",
    "rate",
    "bytes shipped per write",
    "p50 µs",
    "p99.9 µs",
    "CPU µs per write",
    "settled after s",
  ];
  const { bytes, rate: ratio } = hotSpotRatios(figures);
  const ofBytes = `${factor(bytes.value)} of the bytes, ${goalText("≤", hotSpotBytesGoal, bytes.met)}`;
  const ofRate = `${factor(ratio.value)} of the rate, ${goalText("≥", hotSpotRateGoal, ratio.met)}`;
  const words = `Aggregated to async: ${ofBytes}; ${ofRate}.`;
  return `${about}\n\n${table(header, rows)}\n\n${words}`;
}

/** What the host gets of what it asks for, and by how much the lag grows in the end. */
function thinLinkRatios(figures: ThinLinkFigures): { readonly share: Judged; readonly growth: Judged } {
  const [, second, third] = figures.lagSecondsOfThirds;
  const share = roundDown(figures.writtenBytesPerSecond / figures.hostBytesPerSecond, 2);
  const growth = roundUp(third / second, 2);
  return {
    share: { value: share, met: share >= thinLinkRateGoal },
    growth: { value: growth, met: growth <= thinLinkLagGoal },
  };
}

export function thinLinkGoals(figures: ThinLinkFigures): Goal[] {
  const { share, growth } = thinLinkRatios(figures);
  return [
    {
      met: share.met,
      text: `a thin link: the host gets ${factor(share.value)} of what it asks for, where at least ${thinLinkRateGoal} is the goal`,
    },
    {
      met: growth.met,
      text: `a thin link: the lag grows to ${factor(growth.value)} in the last third, where at most ${thinLinkLagGoal} is the goal`,
    },
  ];
}

export function thinLinkText(figures: ThinLinkFigures): string {
  const { megabits, delayMs, seconds, hostBytesPerSecond, writtenBytesPerSecond, lagSecondsOfThirds } = figures;
  const perSecond = (bytes: number) => `${(bytes / MiB).toFixed(1)} MiB/s`;
  const about = [
    `The same writes in aggregated over a link of ${megabits} Mbit/s and ${delayMs} ms each way, for ${seconds} s, from a host`,
    "that asks for five times the bandwidth of the link.",
  ].join("\n");
  const [first, second, third] = lagSecondsOfThirds.map((lag) => `${lag.toFixed(1)} s`);
  const { share, growth } = thinLinkRatios(figures);
  const rows = [
    ["asked for", perSecond(hostBytesPerSecond), "–"],
    ["written", perSecond(writtenBytesPerSecond), "–"],
    ["written, of what was asked for", factor(share.value), goalText("≥", thinLinkRateGoal, share.met)],
    ["the most lag in the first, second and last third", `${first}, ${second}, ${third}`, "–"],
    ["that of the last third, of the second's", factor(growth.value), goalText("≤", thinLinkLagGoal, growth.met)],
  ];
  return `${about}\n\n${table(["Over a thin link", "", "goal"], rows)}`;
}
