/** The README's first screen, typed on a bare machine by somebody who has read nothing else. */
import { blocksBelow } from "#test/cli/readme.ts";
import { type BareMachine, type Login, repository } from "./bare-machine.ts";
import type { Terminal } from "./terminal.ts";

export interface Step {
  readonly what: string;
  readonly seconds: number;
}

export interface Commands {
  readonly start: string;
  readonly tests: string;
  readonly story: string;
}

const page = "http://127.0.0.1:7878/";
const isReady = /^Ctrl-C ends/m;
const cameBack = /^It is back on the volume: lost\+found letter\.txt$/m;
/** Of root. */
const home = "/root";
const user = "reader";

/** As they stand there, without what is said of them. */
export function readmeCommands(): Commands {
  const [commands, story] = blocksBelow("Two commands");
  const lines = `${commands?.text}${story?.text}`.split("\n").map((line) => line.replace(/\s+#.*$/, ""));
  const [start, tests, told, ...others] = lines.filter((line) => line !== "");
  if (start === undefined || tests === undefined || told === undefined || others.length > 0) {
    throw new Error("the README does not begin with two commands and the story's");
  }
  return { start, tests, story: told };
}

export class FirstUse {
  readonly steps: Step[] = [];
  readonly #machine: BareMachine;
  readonly #commands: Commands;
  readonly #told: (step: Step) => void;

  constructor(machine: BareMachine, told: (step: Step) => void) {
    this.#machine = machine;
    this.#commands = readmeCommands();
    this.#told = told;
  }

  /** Of a root: from the clone to the file that came back, and the second start. */
  async story(): Promise<void> {
    const { start, story } = this.#commands;
    const login = await this.#cloned({ folder: home });
    const first = await this.#started(`\`${start}\` for the first time, until the volume is protected`, login);
    const told = this.#machine.terminal(story, login);
    await this.#timed(`\`${story}\`, ten seconds of which are its own`, () => told.succeeds());
    if (!cameBack.test(told.text)) throw new Error(`the file has not come back:\n${told.text}`);
    const answer = await fetch(page);
    const document = await answer.text();
    if (!answer.ok || !document.includes("<html")) throw new Error(`${page} is no page: ${answer.status} ${document}`);
    await this.#ended(first);
    await this.#ended(await this.#started(`\`${start}\` for the second time`, login));
  }

  /** In a clone of his own, where root has run it before. */
  async asUser(): Promise<void> {
    const made = this.#machine.terminal(`useradd --create-home ${user}`, { folder: home });
    await made.succeeds();
    const login = await this.#cloned({ user, folder: `/home/${user}` });
    const { start, story } = this.#commands;
    const program = await this.#started(`\`${start}\` of a user who is not root, in a clone of his own`, login);
    const told = this.#machine.terminal(story, login);
    await told.succeeds();
    if (!cameBack.test(told.text)) throw new Error(`the file has not come back:\n${told.text}`);
    await this.#ended(program);
  }

  async tests(): Promise<void> {
    const { tests } = this.#commands;
    const terminal = this.#machine.terminal(tests, { folder: `${home}/tidemark` });
    const began = performance.now();
    await terminal.succeeds();
    const [last = "", before = ""] = terminal.text.trimEnd().split("\n").toReversed();
    const skipped = /^(\d+) not run/.exec(before)?.[1];
    const outcome = `${last}${skipped === undefined ? "" : `, ${skipped} not run`}`;
    this.#note(`\`${tests}\`, with all that it installs: ${outcome}`, began);
  }

  async #cloned({ folder, ...who }: Login): Promise<Login> {
    const clone = this.#machine.terminal(`git clone --quiet ${repository} tidemark`, { folder, ...who });
    await clone.succeeds();
    return { ...who, folder: `${folder}/tidemark` };
  }

  async #started(what: string, login: Login): Promise<Terminal> {
    const terminal = this.#machine.terminal(this.#commands.start, login);
    await this.#timed(what, () => terminal.shows(isReady));
    return terminal;
  }

  async #ended(terminal: Terminal): Promise<void> {
    await terminal.interrupted();
    if (!/^stopped: /m.test(terminal.text)) throw new Error(`Ctrl-C has not ended it in order:\n${terminal.text}`);
  }

  async #timed(what: string, action: () => Promise<void>): Promise<void> {
    const began = performance.now();
    await action();
    this.#note(what, began);
  }

  #note(what: string, beganMs: number): void {
    const step = { what, seconds: (performance.now() - beganMs) / 1000 };
    this.steps.push(step);
    this.#told(step);
  }
}
