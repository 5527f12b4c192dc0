/**
 * Runs command lines, one after the other, through the program's own `main.ts` in one process, and tells of each what it said and with
 * which status it would have ended. Started by `typedInTurn`; ends by itself when none of them has left anything under way.
 */
import "#src/host/node/own-modules.js";

export interface LineAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const [node = "", self = "", lines = "[]"] = process.argv;
const tell = process.stdout.write.bind(process.stdout) as (text: string) => boolean;
const said = { stdout: "", stderr: "" };

for (const name of ["stdout", "stderr"] as const) {
  const stream = process[name];
  // Each line listens for its end anew.
  stream.setMaxListeners(0);
  stream.write = (text: string | Uint8Array): boolean => {
    said[name] += typeof text === "string" ? text : Buffer.from(text).toString("utf8");
    return true;
  };
}

const answers: LineAnswer[] = [];
for (const [index, line] of (JSON.parse(lines) as string[][]).entries()) {
  Object.assign(said, { stdout: "", stderr: "" });
  process.exitCode = undefined;
  process.argv = [node, self, ...line];
  // Another name, another module: it is run anew, and all that it imports is there already.
  await import(`#src/cli/main.ts?line=${index}`);
  answers.push({ exitCode: Number(process.exitCode ?? 0), ...said });
}
process.exitCode = 0;
tell(JSON.stringify(answers));
