/** The setting for limits that depend on the hour: `08:00-18:00 2M, 22:00-06:00 off`. */
import { formatByteSize, parseByteSize } from "#src/core/byte-size.ts";
import { bandwidthHoursMax } from "#src/core/limits.ts";
import { type BandwidthHours, minutesOfDay } from "#src/wire/bandwidth.ts";
import { notUnderstood, type Range, type Setting } from "./setting.ts";

const none = "none";
const off = "off";
const pattern = /^(\d\d:\d\d)-(\d\d:\d\d)\s+(\S+)$/;

export function bandwidthHours(description: string, range: Range): Setting<readonly BandwidthHours[]> {
  const limits = `${formatByteSize(range.min)} to ${formatByteSize(range.max)}`;
  return {
    kind: "setting",
    fallback: [],
    description,
    shape: `hours with a size from ${limits} or ${off}, such as 08:00-18:00 2M, parted by commas, or ${none}`,
    secret: false,
    parse: (written) => (written === none ? [] : parsed(written, range)),
    print: (hours) => (hours.length === 0 ? none : hours.map(printed).join(", ")),
  };
}

function parsed(written: string, range: Range): readonly BandwidthHours[] | typeof notUnderstood {
  const hours = written.split(",").map((item) => parsedHours(item.trim(), range));
  return hours.length <= bandwidthHoursMax && hours.every((one) => one !== undefined) ? hours : notUnderstood;
}

function parsedHours(item: string, { min, max }: Range): BandwidthHours | undefined {
  const [, from = "", to = "", size = ""] = pattern.exec(item) ?? [];
  const [fromMinute, toMinute] = [minuteOf(from), minuteOf(to)];
  const bytesPerSecond = size === off ? Number.POSITIVE_INFINITY : (parseByteSize(size) ?? Number.NaN);
  const isWithin = size === off || (bytesPerSecond >= min && bytesPerSecond <= max);
  if (fromMinute === undefined || toMinute === undefined || !isWithin) return undefined;
  return { fromMinute, toMinute, bytesPerSecond };
}

/** 24:00 is the end of a day, and so the beginning of it. */
function minuteOf(text: string): number | undefined {
  const [hours = 0, minutes = 0] = text.split(":").map(Number);
  const minute = hours * 60 + minutes;
  if (!text.includes(":") || minutes >= 60 || minute > minutesOfDay) return undefined;
  return minute % minutesOfDay;
}

function printed({ fromMinute, toMinute, bytesPerSecond }: BandwidthHours): string {
  const size = bytesPerSecond === Number.POSITIVE_INFINITY ? off : formatByteSize(bytesPerSecond);
  return `${timeOf(fromMinute)}-${timeOf(toMinute)} ${size}`;
}

function timeOf(minute: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}
