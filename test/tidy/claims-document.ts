/** docs/claims.md, as it follows from the list of claims and the names of the tests. */
import { type Claim, claimParts } from "./claims.ts";
import { listOfTests, type NamedTest } from "./named-tests.ts";

const columnsMax = 128;

const introduction = `# What Tidemark claims, and what shows it

The heart of the product in a few sentences, and for each the tests that show it. Those in \`test/claims\` do so from outside, with
real processes and their interfaces: NBD, the API, commands, files, the wire. The list is \`test/tidy/claims.ts\`, a test says by its
name which claims it is about (\`claim A7: …\`), and this page is written from both: \`npx vitest run test/claims.test.ts -u\`. It
never says more than the tests do: where something is not shown in full, it says so.

The letter of a claim is that of its part below, the number is its own for life; neither means more than that.
What may go wrong, and what is seen of it then, is in [what Tidemark survives](reliability.md).
`;

export function claimsDocument(claims: readonly Claim[], tests: readonly NamedTest[]): string {
  const rows = claims.map((claim) => {
    const about = testsOf(claim, tests);
    const isLong = ({ path }: NamedTest) => path.endsWith(".long.test.ts");
    const counts = [about.filter((test) => !isLong(test)).length, about.filter(isLong).length];
    return [claim.id, claim.title, ...counts.map(String), claim.missing === undefined ? "yes" : "in part"];
  });
  const parts = Object.entries(claimParts).map(([letter, title]) => {
    const sections = claims.filter(({ id }) => id.startsWith(letter)).map((claim) => section(claim, tests));
    return `## ${letter}. ${title}\n\n${sections.join("\n")}`;
  });
  return `${introduction}\n${table(rows).join("\n")}\n\n${parts.join("\n")}`;
}

const titles = ["claim", "", "tests after each change", "long tests", "shown"];
const countColumns: readonly number[] = [2, 3];

/** As the formatter of documents lays it out. */
function table(rows: readonly (readonly string[])[]): string[] {
  const all = [titles, ...rows];
  const widths = titles.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const rule = widths.map((width, column) =>
    countColumns.includes(column) ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  const [head, ...body] = all.map((row) =>
    row.map((text, column) => {
      const width = widths[column] ?? 0;
      return countColumns.includes(column) ? text.padStart(width) : text.padEnd(width);
    }),
  );
  return [head ?? [], rule, ...body].map((row) => `| ${row.join(" | ")} |`);
}

function testsOf({ id }: Claim, tests: readonly NamedTest[]): NamedTest[] {
  return tests.filter(({ about }) => about.includes(id));
}

function section(claim: Claim, tests: readonly NamedTest[]): string {
  const open = claim.missing === undefined ? [] : [...wrapped(`Not shown: ${claim.missing}`), ""];
  const list = listOfTests(testsOf(claim, tests));
  return [`### ${claim.id}. ${claim.title}`, "", ...wrapped(claim.held), "", ...open, ...list, ""].join("\n");
}

/** As a person would break it into lines. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= columnsMax) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Claims that nobody makes, and those that nothing from outside shows. */
export function claimFindings(claims: readonly Claim[], tests: readonly NamedTest[]): string[] {
  const known = new Set(claims.map(({ id }) => id));
  const strangers = tests.flatMap(({ path, about }) =>
    about.filter((id) => !known.has(id)).map((id) => `${path}: there is no claim ${id}`),
  );
  const shown = new Set(tests.filter(({ path }) => path.startsWith("test/claims/")).flatMap(({ about }) => about));
  const bare = claims.filter(({ id, missing }) => missing === undefined && !shown.has(id));
  return [...strangers, ...bare.map(({ id, title }) => `claim ${id} has no test in test/claims: ${title}`)];
}
