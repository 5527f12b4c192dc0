/** How well a mean is known of values that scatter. */
export interface KnownMean {
  /** Of values. */
  readonly count: number;
  readonly mean: number;
  /** With what is known, the true one is hardly ever beyond these: two standard errors to each side. */
  readonly from: number;
  readonly to: number;
}

export function knownMean(values: readonly number[]): KnownMean {
  const { length } = values;
  if (length < 2) throw new Error("of one value nobody knows how it scatters");
  const mean = values.reduce((sum, value) => sum + value, 0) / length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (length - 1);
  const reach = 2 * Math.sqrt(variance / length);
  return { count: length, mean, from: mean - reach, to: mean + reach };
}
