/** How the export of a protected volume describes itself to whoever asks its server. */
const beginning = "protected, in the group ";

export function describeProtected(group: string): string {
  return beginning + group;
}

/** The group's name. Undefined: the export is not one of a protected volume. */
export function groupDescribed(description: string): string | undefined {
  return description.startsWith(beginning) ? description.slice(beginning.length) : undefined;
}
