/** A line of a file that is read line by line: JSON, a tab, the checksum of the JSON in hexadecimal digits. No secret gets into one. */
import { checksumBytes, putChecksum } from "#src/host/checksum.ts";
import { withoutSecrets } from "#src/host/redaction.ts";

export function summedLine(value: object): Buffer {
  const text = JSON.stringify(value, (_, one: unknown) => (typeof one === "string" ? withoutSecrets(one) : one));
  return Buffer.from(`${text}\t${sumOf(text)}\n`);
}

/** Undefined: it is torn or damaged. */
export function readSummedLine(line: string): Record<string, unknown> | undefined {
  const at = line.lastIndexOf("\t");
  const text = line.slice(0, at);
  if (at < 0 || line.slice(at + 1) !== sumOf(text)) return undefined;
  return JSON.parse(text) as Record<string, unknown>;
}

function sumOf(text: string): string {
  const bytes = Buffer.from(text);
  const sum = Buffer.alloc(checksumBytes);
  putChecksum(bytes, 0, bytes.length, sum, 0);
  return sum.toString("hex");
}
