/** Where devices are mounted, as /proc/self/mounts has it. Pure. */

/** The newest mount first: that is the order in which they can be taken away. */
export function mountsOf(table: string, device: string): string[] {
  const places: string[] = [];
  for (const line of table.split("\n")) {
    const [source = "", place = ""] = line.split(" ").map(unescaped);
    if (isOn(source, device)) places.unshift(place);
  }
  return places;
}

export function isMountPoint(table: string, path: string): boolean {
  return table.split("\n").some((line) => unescaped(line.split(" ")[1] ?? "") === path);
}

/** The device itself or one of its partitions. */
function isOn(source: string, device: string): boolean {
  return source === device || (source.startsWith(`${device}p`) && /^p\d+$/.test(source.slice(device.length)));
}

/** Blanks and their like stand there as three octal digits. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
