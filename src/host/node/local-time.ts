/** Minutes since midnight, in the machine's time zone; `wallMs` as a clock's `wallMs` tells it. */
export function minuteOfDay(wallMs: number): number {
  const date = new Date(wallMs);
  return date.getHours() * 60 + date.getMinutes();
}
