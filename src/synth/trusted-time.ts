/**
 * How late it surely is. What is deleted by age must not be so because somebody set a clock: neither this machine's, which may
 * jump, nor the source's, which the records' times are from. So time is believed to pass only as far as the monotonic clock of
 * one process says so, or records that have come; never beyond this machine's clock. While nothing comes and programs are
 * started anew it stands still: history is then kept longer than it has to be, never shorter.
 */
import { clockToleranceMicros } from "#src/core/store-limits.ts";

export interface ClockReading {
  readonly wallMicros: number;
  readonly monotonicMicros: number;
}

/** Where clocks disagree nothing is let go of until a person has looked. */
export interface ClockAlarm {
  readonly word: "records-ahead" | "clock-backwards";
  /** For people. */
  readonly message: string;
}

export interface TrustedTime {
  readonly micros: number;
  readonly alarm: ClockAlarm | undefined;
}

export class TrustedClock {
  #last: { readonly micros: number; readonly monotonicMicros: number } | undefined;

  /** `knownMicros`: what was said before, also by another process; 0: nothing. `newestRecordMicros` 0: there is none. */
  read(now: ClockReading, knownMicros: number, newestRecordMicros: number): TrustedTime {
    const { wallMicros, monotonicMicros } = now;
    const last = this.#last;
    const passed = last === undefined ? 0 : last.micros + Math.max(0, monotonicMicros - last.monotonicMicros);
    const known = Math.max(knownMicros, last?.micros ?? 0);
    const micros = Math.max(known, Math.min(wallMicros, Math.max(passed, newestRecordMicros)));
    this.#last = { micros, monotonicMicros };
    return { micros, alarm: alarmOf(wallMicros, known, newestRecordMicros) };
  }
}

function alarmOf(wallMicros: number, knownMicros: number, newestRecordMicros: number): ClockAlarm | undefined {
  if (newestRecordMicros > wallMicros + clockToleranceMicros) {
    const message = `records are from ${inWords(newestRecordMicros)}, and here it is ${inWords(wallMicros)}`;
    return { word: "records-ahead", message };
  }
  if (wallMicros < knownMicros - clockToleranceMicros) {
    const message = `it was ${inWords(knownMicros)} here before, and now it is ${inWords(wallMicros)}`;
    return { word: "clock-backwards", message };
  }
  return undefined;
}

function inWords(micros: number): string {
  return new Date(Math.floor(micros / 1000)).toISOString();
}
