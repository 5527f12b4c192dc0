/** Tables that can be read both as text and as Markdown, and sections of a document that a program writes. */

export type Row = readonly string[];

/** The first column is text, the others are figures. */
export function table(header: Row, rows: readonly Row[]): string {
  const widths = header.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => cell(row, column).length)),
  );
  const line = (row: Row) =>
    `| ${widths.map((width, column) => (column === 0 ? cell(row, 0).padEnd(width) : cell(row, column).padStart(width))).join(" | ")} |`;
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(header), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

function cell(row: Row, column: number): string {
  return row[column] ?? "";
}

/** In lines of at most so many characters, where its words allow. */
export function wrapped(text: string, charactersMax = 120): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= charactersMax)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join("\n");
}

/** Puts `text` between the two markers of a section, and leaves everything around them as it is. `writer`: the command that does so. */
export function replaceSection(document: string, section: string, text: string, writer = "npm run bench"): string {
  const begin = `<!-- ${section}: written by \`${writer}\`, not by hand -->`;
  const end = `<!-- end of ${section} -->`;
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the document has no section between '${begin}' and '${end}'`);
  return `${document.slice(0, from + begin.length)}\n\n${text.trim()}\n\n${document.slice(to)}`;
}
