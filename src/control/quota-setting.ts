/** The setting for quotas of single volumes: `disk 2T, scratch off`. */
import { formatByteSize, parseByteSize } from "#src/core/byte-size.ts";
import { volumeQuotasMax } from "#src/core/store-limits.ts";
import { isName } from "./name.ts";
import { notUnderstood, type Range, type Setting } from "./setting.ts";

export interface VolumeQuota {
  readonly name: string;
  /** `Infinity`: it has none, whatever others have. */
  readonly byteLength: number;
}

const none = "none";
const off = "off";

export function volumeQuotas(description: string, range: Range): Setting<readonly VolumeQuota[]> {
  const limits = `${formatByteSize(range.min)} to ${formatByteSize(range.max)}`;
  return {
    kind: "setting",
    fallback: [],
    description,
    shape: `names with a size from ${limits} or ${off}, such as disk 2T, parted by commas, or ${none}`,
    secret: false,
    parse: (written) => (written === none ? [] : parsed(written, range)),
    print: (quotas) => (quotas.length === 0 ? none : quotas.map(printed).join(", ")),
  };
}

function parsed(written: string, range: Range): readonly VolumeQuota[] | typeof notUnderstood {
  const quotas = written.split(",").map((item) => parsedQuota(item.trim(), range));
  if (quotas.length > volumeQuotasMax || !quotas.every((one) => one !== undefined)) return notUnderstood;
  const areDifferent = new Set(quotas.map(({ name }) => name)).size === quotas.length;
  return areDifferent ? quotas : notUnderstood;
}

function parsedQuota(item: string, { min, max }: Range): VolumeQuota | undefined {
  const [name = "", size = "", ...others] = item.split(/\s+/);
  const byteLength = size === off ? Number.POSITIVE_INFINITY : (parseByteSize(size) ?? Number.NaN);
  const isWithin = size === off || (byteLength >= min && byteLength <= max);
  return isName(name) && isWithin && others.length === 0 ? { name, byteLength } : undefined;
}

function printed({ name, byteLength }: VolumeQuota): string {
  return `${name} ${byteLength === Number.POSITIVE_INFINITY ? off : formatByteSize(byteLength)}`;
}
