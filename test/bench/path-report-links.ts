/** What aggregated saves of the link, in words and tables. */
import { table } from "./markdown.ts";
import { hotSpotBytesGoal, hotSpotRateGoal, thinLinkLagGoal, thinLinkRateGoal } from "./path-cases.ts";
import { compareBy, type HotSpotFigures, type ThinLinkFigures } from "./path-results.ts";
import { factor, type Goal, rate } from "./path-words.ts";
import { roundDown, roundUp } from "./rounding.ts";

const MiB = 1024 ** 2;

interface HotSpotRatios {
  readonly bytes: number;
  readonly rate: number;
}

function hotSpotRatios({ contenders }: HotSpotFigures): HotSpotRatios {
  const [async, aggregated] = contenders;
  if (async === undefined || aggregated === undefined) throw new Error("both modes are measured");
  const { ratio } = compareBy("rate", aggregated.figures, async.figures, null);
  return { bytes: roundUp(aggregated.shippedBytesPerWrite / async.shippedBytesPerWrite, 2), rate: ratio };
}

export function hotSpotGoals(figures: HotSpotFigures): Goal[] {
  const ratios = hotSpotRatios(figures);
  return [
    {
      met: ratios.bytes <= hotSpotBytesGoal,
      text: `hot spots: aggregated ships ${factor(ratios.bytes)} the bytes of async, where at most ${hotSpotBytesGoal} is the goal`,
    },
    {
      met: ratios.rate >= hotSpotRateGoal,
      text: `hot spots: aggregated has ${factor(ratios.rate)} the rate of async, where at least ${hotSpotRateGoal} is the goal`,
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
  const ratios = hotSpotRatios(figures);
  const words = `Aggregated to async: ${factor(ratios.bytes)} of the bytes, ${factor(ratios.rate)} of the rate.`;
  return `${about}\n\n${table(header, rows)}\n\n${words}`;
}

export function thinLinkGoals({
  hostBytesPerSecond,
  writtenBytesPerSecond,
  lagSecondsOfThirds,
}: ThinLinkFigures): Goal[] {
  const share = roundDown(writtenBytesPerSecond / hostBytesPerSecond, 2);
  const [, second, third] = lagSecondsOfThirds;
  const growth = roundUp(third / second, 2);
  return [
    {
      met: share >= thinLinkRateGoal,
      text: `a thin link: the host gets ${factor(share)} of what it asks for, where at least ${thinLinkRateGoal} is the goal`,
    },
    {
      met: growth <= thinLinkLagGoal,
      text: `a thin link: the lag grows to ${factor(growth)} in the last third, where at most ${thinLinkLagGoal} is the goal`,
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
  const rows = [
    ["asked for", perSecond(hostBytesPerSecond)],
    ["written", perSecond(writtenBytesPerSecond)],
    ["the most lag in the first, second and last third", `${first}, ${second}, ${third}`],
  ];
  return `${about}\n\n${table(["Over a thin link", ""], rows)}`;
}
