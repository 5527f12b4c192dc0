/** Times as people write them: `10s`, `1m`, `1h`, `7d`. */
const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
type Unit = keyof typeof unitSeconds;

/** In seconds. Undefined: the text is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^([1-9]\d{0,8})([smhd])$/.exec(text);
  return match === null ? undefined : Number(match[1]) * unitSeconds[match[2] as Unit];
}

/** Whole seconds, in the largest unit of which they are a multiple. */
export function formatDuration(seconds: number): string {
  const units = Object.entries(unitSeconds).reverse() as [Unit, number][];
  const [unit, size] = units.find(([, each]) => seconds % each === 0) ?? ["s", 1];
  return `${seconds / size}${unit}`;
}

/** As long as that, or a little longer than is said: `10d`, `36h`. */
export function roundedDuration(seconds: number): string {
  const units = Object.entries(unitSeconds).reverse() as [Unit, number][];
  const [unit, size] = units.find(([, each]) => seconds >= 3 * each) ?? ["s", 1];
  return `${Math.floor(seconds / size)}${unit}`;
}
