/** How many of what, as people say it; for nouns whose plural is made with an s. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

const listedMax = 8;

/** As many as a line has room for, and how many more there are. */
export function listed(names: readonly string[]): readonly string[] {
  const more = names.length - listedMax;
  return more > 0 ? [...names.slice(0, listedMax), `${more} more`] : names;
}
