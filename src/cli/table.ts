/** Tables for people: as wide as they have to be, numbers to the right. */

export interface Column<Row> {
  readonly title: string;
  readonly isNumber?: boolean;
  text(row: Row): string;
}

export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [
    columns.map((column) => column.title),
    ...rows.map((row) => columns.map((column) => column.text(row))),
  ];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => (line[index] as string).length)));
  return lines
    .map((line) => {
      const cells = line.map((cell, index) => {
        const width = widths[index] as number;
        return columns[index]?.isNumber === true ? cell.padStart(width) : cell.padEnd(width);
      });
      return `${cells.join("  ").trimEnd()}\n`;
    })
    .join("");
}
