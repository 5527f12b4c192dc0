/**
 * Opens points in a process that has done nothing before, as the one that serves views: what memory it takes for that shows in it. One
 * order as its argument, one answer on standard output.
 */

import type { GroupPoints } from "#src/synth/group-points.ts";
import { ImageRuns } from "#src/synth/image-runs.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { benchVolume, sealedPoints } from "./points-history.ts";
import type { OpeningAnswer, OpeningOrder, TimedLook } from "./points-openings.ts";
import { unsealedPoints } from "./points-unsealed.ts";

const order = JSON.parse(process.argv[2] ?? "") as OpeningOrder;
const { folder, isSealed, lastSeq, pointCount, volumeBlocks } = order;
const random = new SeededRandom(9);
const runs = new ImageRuns();

async function look(points: GroupPoints, seq: number): Promise<void> {
  const image = await points.open(benchVolume, seq);
  await image.runsIn(random.integerBelow(volumeBlocks - 1), 1, runs);
  image.close();
}

async function timed(work: () => Promise<void>): Promise<TimedLook> {
  const [began, usage] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(usage);
  return { seconds: (performance.now() - began) / 1000, processorSeconds: (user + system) / 1e6 };
}

const residentBytes = process.memoryUsage.rss();
let points: GroupPoints | undefined;
const first = await timed(async () => {
  points = await (isSealed ? sealedPoints(folder) : unsealedPoints(folder, lastSeq));
  await look(points, lastSeq);
});
const others: TimedLook[] = [];
for (let count = 0; count < pointCount; count++) {
  others.push(await timed(() => look(points as GroupPoints, 2 + random.integerBelow(lastSeq - 2))));
}
const grownMebibytes = Math.round((process.memoryUsage.rss() - residentBytes) / 2 ** 20);
process.stdout.write(`${JSON.stringify({ first, others, grownMebibytes } satisfies OpeningAnswer)}\n`);
process.exit(0);
