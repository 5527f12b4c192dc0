/** docs/reference/commands.md is what the commands say of themselves: `npx vitest run test/cli/commands-reference.test.ts -u` writes it. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { commands } from "#src/cli/commands.ts";
import { projectRoot } from "#test/tidy/project-files.ts";

function reference(): string {
  const rows = commands.map(({ name, summary }) => `- [\`${name}\`](#tidemark-${name}): ${summary}`);
  const parts = commands.map(({ name, help }) => `## tidemark ${name}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\`\n`);
  return `# Commands

What \`tidemark COMMAND --help\` says of each, as this document is made of it. The exit status is 0 where it is done, 1 where it has
failed, 2 where the use was wrong. Listings take \`--json\`, with stable names.

${rows.join("\n")}

${parts.join("\n")}`;
}

test("the reference of commands is what they say of themselves", async () => {
  await expect(reference()).toMatchFileSnapshot(join(projectRoot, "docs/reference/commands.md"));
});

test("every command says how it is used, with an example and --help", () => {
  for (const { name, help, summary } of commands) {
    expect(help, name).toMatch(new RegExp(`^Usage: tidemark ${name}\\b`));
    expect(help, name).toMatch(/\nExample:\n {2}/);
    expect(help, name).toContain("--help");
    expect(summary, name).toMatch(/^[a-z].*[^.]$/);
  }
});
