/**
 * What a machine can check of the house's habits. Every rule runs over the whole project, and over a small sample that it
 * must object to.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bannedCallFindings, switchedOffFindings } from "#test/tidy/banned-calls.ts";
import { deadFileFindings, entryPointsOf } from "#test/tidy/dead-files.ts";
import { linkFindings, titleFindings } from "#test/tidy/documents.ts";
import { layerFindings } from "#test/tidy/layers.ts";
import { projectRoot, readProject } from "#test/tidy/project-files.ts";
import {
  defaultExportFindings,
  fileLengthFindings,
  fileNameFindings,
  functionLengthFindings,
  lineLengthFindings,
} from "#test/tidy/shape.ts";
import { machinePathFindings, unfinishedFindings } from "#test/tidy/words.ts";

const project = readProject();
const one = (path: string, text: string) => [{ path, text }];
const inProject = (path: string) => existsSync(join(projectRoot, path));

test("the project is read whole", () => {
  const paths = project.map((file) => file.path);
  expect(paths).toEqual(
    expect.arrayContaining(["package.json", "src/cli/launch.js", "test/tidy.test.ts", "deploy/setup.js"]),
  );
});

describe("layers", () => {
  const importing = (path: string, specifier: string) => layerFindings(one(path, `import { a } from "${specifier}";`));

  test("folders import only what stands below them", () => {
    expect(layerFindings(project)).toEqual([]);
  });

  test.each([
    ["src/host/a.ts", "#src/nbd/b.ts", "which stands above it"],
    ["src/wire/a.ts", "#src/store/b.ts", "which stands beside it"],
    ["src/nbd/a.ts", "#test/sim/b.ts", "nothing of the tests"],
    ["src/nbd/a.ts", "#src/nbd/b.ts", "by a relative path"],
    ["src/nbd/a.ts", "../core/b.ts", "import it as #src/core/b.ts"],
    ["test/nbd/a.ts", "../../src/nbd/b.ts", "import it as #src/nbd/b.ts"],
    ["src/core/a.ts", "node:os", "nothing from outside"],
    ["src/other/a.ts", "#src/core/b.ts", "no place among the layers"],
  ])("%s may not import %s", (path, specifier, message) => {
    expect(importing(path, specifier)).toEqual([expect.stringContaining(message)]);
  });

  test("an import of types, a dynamic import and a re-export count too", () => {
    const text =
      'import type { A } from "#src/ui/a.ts";\nconst b = await import("#src/ui/b.ts");\nexport { c } from "#src/ui/c.ts";';
    expect(layerFindings(one("src/core/d.ts", text))).toHaveLength(3);
  });

  test("a worker is named by a path: a test may reach into the product that way, the product not into another folder", () => {
    const text = 'new Worker(new URL("../../src/host/a.ts", import.meta.url));';
    expect(layerFindings(one("test/host/a.test.ts", text))).toEqual([]);
    expect(layerFindings(one("src/host/b/a.ts", text.replace("src/host", "nbd")))).toHaveLength(1);
  });

  test("what stands below may be imported, and what lies in the same folder", () => {
    expect(importing("src/cli/a.ts", "#src/core/b.ts")).toEqual([]);
    expect(importing("src/nbd/client/a.ts", "../b.ts")).toEqual([]);
  });
});

describe("banned calls", () => {
  const inside = (path: string, text: string) => bannedCallFindings(one(path, text));

  test("time, chance and the machine are reached through ports", () => {
    expect(bannedCallFindings(project)).toEqual([]);
  });

  test.each([
    "Date.now();",
    "new Date();",
    "Math.random();",
    "performance.now();",
    "setTimeout(f, 1);",
    "globalThis.setImmediate(f);",
    "setInterval(f, 1);",
    "process.env;",
    "process.memoryUsage();",
    "console.log(1);",
    'import { readSync } from "node:fs";',
    'import { readFile } from "node:fs/promises";',
    'import { connect } from "net";',
    'import { setTimeout as wait } from "node:timers/promises";',
    'import { randomBytes } from "node:crypto"; randomBytes(8);',
  ])("the engine may not say %s", (text) => {
    expect(inside("src/nbd/a.ts", text)).toHaveLength(1);
  });

  test("the host may, and a time that was passed in is no present time", () => {
    expect(inside("src/host/a.ts", "Date.now();")).toEqual([]);
    expect(inside("src/nbd/a.ts", "new Date(at); clock.setTimeout(f, 1);")).toEqual([]);
  });

  test("a command may speak to its terminal, and not read the environment", () => {
    expect(inside("src/cli/a.ts", "process.stdout.write(text); process.exitCode = 1;")).toEqual([]);
    expect(inside("src/cli/a.ts", "process.env.HOME;")).toHaveLength(1);
  });

  test("words in comments and texts are no calls", () => {
    expect(inside("src/nbd/a.ts", '// Date.now()\nconst a = "Date.now()";')).toEqual([]);
  });
});

describe("tests", () => {
  test("none is switched off or narrowed", () => {
    expect(switchedOffFindings(project)).toEqual([]);
  });

  test.each(["only", "skip", "todo"])("one with .%s is found", (word) => {
    expect(switchedOffFindings(one("test/a.test.ts", `test.${word}("b", () => {});`))).toHaveLength(1);
    expect(switchedOffFindings(one("test/a.test.ts", `describe.concurrent.${word}("b", () => {});`))).toHaveLength(1);
  });

  test("one that depends on a named condition is none of them", () => {
    expect(switchedOffFindings(one("test/a.test.ts", 'test.skipIf(missing)("b", () => {});'))).toEqual([]);
  });
});

describe("dead files", () => {
  test("every file of src is reached", () => {
    const packageText = project.find((file) => file.path === "package.json")?.text ?? "";
    const loadedByBrowsers = "src/ui/main.ts";
    expect(deadFileFindings(project, [...entryPointsOf(packageText), loadedByBrowsers])).toEqual([]);
  });

  test("a file that only its own test imports is dead, one that another test needs is not", () => {
    const files = [
      { path: "src/cli/main.ts", text: 'import "./serve.ts";' },
      { path: "src/cli/serve.ts", text: "" },
      { path: "src/wire/alone.ts", text: "" },
      { path: "src/host/port.ts", text: "" },
      { path: "test/wire/alone.test.ts", text: 'import "#src/wire/alone.ts";' },
      { path: "test/sim/disk.ts", text: 'import type { A } from "#src/host/port.ts";' },
    ];
    expect(deadFileFindings(files, ["src/cli/main.ts"])).toEqual([expect.stringContaining("src/wire/alone.ts")]);
  });

  test("the ground may be laid with nothing but its own test, not without one", () => {
    const ground = { path: "src/core/ground.ts", text: "" };
    const itsTest = { path: "test/core/ground.test.ts", text: 'import "#src/core/ground.ts";' };
    expect(deadFileFindings([ground, itsTest], [])).toEqual([]);
    expect(deadFileFindings([ground], [])).toHaveLength(1);
  });

  test("the entry points are what package.json names", () => {
    const text = '{"bin": {"a": "src/a.js"}, "exports": {"./b": "./src/b.ts"}}';
    expect(entryPointsOf(text)).toEqual(["src/a.js", "src/b.ts"]);
  });
});

describe("shape", () => {
  test("files are short", () => {
    expect(fileLengthFindings(project)).toEqual([]);
    expect(fileLengthFindings(one("src/core/a.ts", "a;\n".repeat(401)))).toHaveLength(1);
    expect(fileLengthFindings(one("src/core/a.ts", "a;\n".repeat(400)))).toEqual([]);
  });

  test("lines are short, addresses and long lists in commands aside", () => {
    expect(lineLengthFindings(project)).toEqual([]);
    expect(lineLengthFindings(one("docs/a.md", "bc ".repeat(47)))).toHaveLength(1);
    expect(lineLengthFindings(one("docs/a.md", `https://example.org/${"b".repeat(141)}`))).toEqual([]);
  });

  test("functions are short, groups of tests aside", () => {
    const functionOf = (statement: string) => `const f = () => {\n${`${statement}\n`.repeat(69)}}`;
    expect(functionLengthFindings(project)).toEqual([]);
    expect(functionLengthFindings(one("src/core/a.ts", functionOf("a;")))).toHaveLength(1);
    expect(functionLengthFindings(one("test/core/a.ts", functionOf("a;")))).toHaveLength(1);
    expect(functionLengthFindings(one("test/core/a.ts", functionOf('test("b", c);')))).toEqual([]);
  });

  test("nothing is exported as default", () => {
    expect(defaultExportFindings(project)).toEqual([]);
    expect(defaultExportFindings(one("src/core/a.ts", "export default 1;"))).toHaveLength(1);
  });

  test("files are named in kebab-case after what they hold", () => {
    expect(fileNameFindings(project)).toEqual([]);
  });

  test.each(["src/core/aB.ts", "src/core/a_b.ts", "src/core/utils.ts", "src/wire/index.ts"])(
    "%s is no name",
    (path) => {
      expect(fileNameFindings(one(path, ""))).toHaveLength(1);
    },
  );
});

describe("documents", () => {
  test("each has one title", () => {
    expect(titleFindings(project)).toEqual([]);
    expect(titleFindings(one("docs/a.md", "# A\n\n# B\n"))).toHaveLength(1);
    expect(titleFindings(one("docs/a.md", "## A\n"))).toHaveLength(1);
    expect(titleFindings(one("docs/a.md", "# A\n\n```sh\n# a comment\n```\n"))).toEqual([]);
  });

  test("links lead somewhere", () => {
    expect(linkFindings(project, inProject)).toEqual([]);
    expect(linkFindings(one("docs/a.md", "[b](no-such.md)"), inProject)).toHaveLength(1);
    expect(linkFindings(one("docs/a.md", "# A b\n[c](#c)\n"), () => true)).toHaveLength(1);
    expect(linkFindings(one("docs/a.md", "# A b\n[c](#a-b), [d](https://example.org/)\n"), () => true)).toEqual([]);
  });
});

describe("words", () => {
  test("nothing promises later work", () => {
    expect(unfinishedFindings(project)).toEqual([]);
    expect(unfinishedFindings(one("src/core/a.ts", `// TO${"DO"}: this`))).toHaveLength(1);
  });

  test("no path of one machine is named", () => {
    expect(machinePathFindings(project, projectRoot)).toEqual([]);
    expect(machinePathFindings(one("docs/a.md", "in /home/" + "somebody"), "/srv/checkout")).toHaveLength(1);
    expect(machinePathFindings(one("docs/a.md", "in /srv/checkout/src"), "/srv/checkout")).toHaveLength(1);
    expect(machinePathFindings(one("docs/a.md", "in ../srv/checkout and /src/a"), "/srv/checkout")).toEqual([]);
    expect(machinePathFindings(one("docs/a.md", "in /src/a"), "/src")).toEqual([]);
  });
});
