/** What a clock on the wall shows where this machine stands. */
export { minuteOfDay } from "./node/local-time.ts";
