/** The time of a record for people and programs: as exact as the record has it, so that, named as a point, it means that record. */
export function recordTimeText(timeMicros: number): string {
  const ms = Math.floor(timeMicros / 1000);
  const micros = String(timeMicros - ms * 1000).padStart(3, "0");
  return new Date(ms).toISOString().replace("Z", `${micros}Z`);
}
