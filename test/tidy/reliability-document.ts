/** docs/reliability.md, as it follows from the list of faults and the names of the tests. */
import type { FaultTest } from "./fault-tests.ts";
import { type Fault, faultParts } from "./faults.ts";
import { listOfTests } from "./named-tests.ts";

const introduction = `# What Tidemark survives

For each thing that may go wrong: what somebody outside sees of it, and the tests that show it. The list is
\`test/tidy/faults.ts\`, a test says by its name which faults it is about, and this page is written from both:
\`npx vitest run test/reliability.test.ts -u\`. It never says more than the tests do: where something is missing, it says so.

Most of these faults also strike at random in the [simulation of both sites](simulation.md), which knows what was promised.
The tests named here each show one of them, mostly with real processes, files and sockets.
`;

export function reliabilityDocument(faults: readonly Fault[], tests: readonly FaultTest[]): string {
  const parts = faultParts.map((part) => {
    const sections = faults.filter((fault) => fault.part === part).map((fault) => section(fault, tests));
    return `## ${part}\n\n${sections.join("\n")}`;
  });
  return `${introduction}\n${parts.join("\n")}`;
}

function section({ number, title, outcome, missing }: Fault, tests: readonly FaultTest[]): string {
  const lines = listOfTests(tests.filter((test) => test.faults.includes(number)));
  const open = missing === undefined ? [] : [`Not yet: ${missing}`, ""];
  const list = lines.length === 0 ? [] : [...lines, ""];
  return [`### ${number}. ${title}`, "", outcome, "", ...open, ...list].join("\n");
}

/** Numbers that no fault has, and faults that have neither a test nor an excuse. */
export function reliabilityFindings(faults: readonly Fault[], tests: readonly FaultTest[]): string[] {
  const known = new Set(faults.map((fault) => fault.number));
  const strangers = tests.flatMap((test) =>
    test.faults.filter((number) => !known.has(number)).map((number) => `${test.path}: there is no fault ${number}`),
  );
  const shown = new Set(tests.flatMap((test) => test.faults));
  const bare = faults.filter(({ number, missing }) => missing === undefined && !shown.has(number));
  return [...strangers, ...bare.map(({ number, title }) => `fault ${number} has no test: ${title}`)];
}
