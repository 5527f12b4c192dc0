/**
 * How far back the room of a store will reach, if as much is written as it was. Older history has fewer points and costs less for
 * the same time; so what it costs is measured for each level by itself, of the pieces that are at it: their records in a second, and
 * what all that history takes for each of its records. A level that a group's history has not reached yet is taken to cost as much as
 * the finer one before it, which is more than it will: a group that is young and busy is not forgotten beside one that is old.
 *
 * What the volumes hold now is there however short the history is, and costs nothing more.
 */

/** Pieces of a group that are folded to one level: 0 is every write. */
export interface LevelMeasure {
  readonly level: number;
  readonly recordCount: number;
  /** Of all that they span, with the pauses between one and the next. */
  readonly spanMicros: number;
}

export interface ReachFacts {
  /** From the oldest point that is kept to the newest record, of the group whose history is the longest. */
  readonly spanMicros: number;
  /** Of each group; what is not told of, or is of a moment alone, has nothing yet. */
  readonly groups: readonly (readonly LevelMeasure[])[];
  /** From which age on history has which level, ever older; before the first it has every write. */
  readonly steps: readonly { readonly afterMicros: number; readonly level: number }[];
  /** What the store takes, and of that about what the volumes hold now. */
  readonly physicalBytes: number;
  readonly currentBytes: number;
  /** What it may take besides. */
  readonly freeBytes: number;
  /** `Infinity`: everything is kept. */
  readonly keepMicros: number;
}

export interface LevelCost {
  /** Seconds between points; 0: every write is one. */
  readonly level: number;
  /** Of what is so old. */
  readonly fromAgeSeconds: number;
  readonly bytesPerDay: number;
  /** False: not of all groups any is so old yet, and what lacks is taken for as dear as what is younger. */
  readonly isMeasured: boolean;
}

export interface ReachForecast {
  readonly spanSeconds: number;
  /** So far back it would reach, if it is kept. */
  readonly roomSeconds: number;
  /** Less than is to be kept. */
  readonly isShort: boolean;
  /** It reaches further: of some of it no cost is measured yet. */
  readonly isAtLeast: boolean;
  /** The youngest first. */
  readonly costs: readonly LevelCost[];
}

/** Of a shorter history nothing can be told. */
const spanMicrosMin = 3600e6;
const secondMicros = 1e6;
const daySeconds = 86_400;
/** Nobody plans beyond. */
const roomSecondsMax = 100 * 365 * daySeconds;

/** Undefined: too little is known. */
export function reachForecast(facts: ReachFacts): ReachForecast | undefined {
  const { spanMicros, physicalBytes, currentBytes, freeBytes, keepMicros, groups } = facts;
  const recordCount = groups.flat().reduce((sum, measure) => sum + measure.recordCount, 0);
  const isMeasured = groups.flat().some((measure) => measure.recordCount > 0 && measure.spanMicros > 0);
  if (spanMicros < spanMicrosMin || physicalBytes <= 0 || !isMeasured) return undefined;
  const historyBytes = Math.max(0, physicalBytes - currentBytes);
  const costs = levelCosts(facts, historyBytes / recordCount);
  const roomSeconds = Math.min(roomSecondsMax, reachOf(costs, historyBytes + freeBytes));
  const keepSeconds = keepMicros / secondMicros;
  return {
    spanSeconds: Math.floor(spanMicros / secondMicros),
    roomSeconds: Math.round(roomSeconds),
    isShort: Number.isFinite(keepSeconds) && roomSeconds < keepSeconds,
    isAtLeast: costs.some(({ isMeasured, fromAgeSeconds }) => !isMeasured && fromAgeSeconds < roomSeconds),
    costs,
  };
}

function levelCosts({ groups, steps }: ReachFacts, bytesPerRecord: number): LevelCost[] {
  const rates = groups.map((): GroupRate => ({ perSecond: 0, isMeasured: true }));
  return [{ afterMicros: 0, level: 0 }, ...steps].map(({ afterMicros, level }) => {
    for (const [index, measures] of groups.entries()) rates[index] = rateAt(level, measures, rates[index] as GroupRate);
    const recordsPerSecond = rates.reduce((sum, { perSecond }) => sum + perSecond, 0);
    const bytesPerDay = Math.round(recordsPerSecond * bytesPerRecord * daySeconds);
    const isMeasured = rates.every((rate) => rate.isMeasured);
    return { level, fromAgeSeconds: afterMicros / secondMicros, bytesPerDay, isMeasured };
  });
}

/** Of one group, at one level. */
interface GroupRate {
  /** Records. */
  readonly perSecond: number;
  readonly isMeasured: boolean;
}

/** `finer`: what it has at the level before. A day at rest says little of the days to come, but coarser history is never dearer. */
function rateAt(level: number, measures: readonly LevelMeasure[], finer: GroupRate): GroupRate {
  // One piece of one record is a moment, of which nothing can be told.
  if (measures.every((one) => one.spanMicros === 0)) return finer;
  const found = measures.find((one) => one.level === level && one.spanMicros > 0);
  // Where there is older history alone nothing was written lately, and that is known.
  const isOlder = finer.perSecond === 0 && measures.some((one) => one.level > level && one.spanMicros > 0);
  if (found === undefined) return { perSecond: finer.perSecond, isMeasured: isOlder };
  return { perSecond: (found.recordCount / found.spanMicros) * secondMicros, isMeasured: true };
}

/** How old history is when all that is younger takes so much. */
function reachOf(costs: readonly LevelCost[], roomBytes: number): number {
  let leftBytes = roomBytes;
  for (const [index, { fromAgeSeconds, bytesPerDay }] of costs.entries()) {
    const untilSeconds = costs[index + 1]?.fromAgeSeconds ?? Number.POSITIVE_INFINITY;
    const seconds = bytesPerDay === 0 ? Number.POSITIVE_INFINITY : (leftBytes / bytesPerDay) * daySeconds;
    if (fromAgeSeconds + seconds <= untilSeconds) return fromAgeSeconds + seconds;
    leftBytes -= ((untilSeconds - fromAgeSeconds) / daySeconds) * bytesPerDay;
  }
  return Number.POSITIVE_INFINITY;
}
