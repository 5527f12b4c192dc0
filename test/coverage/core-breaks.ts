/**
 * Mistakes in single decisions of the pure parts, each with the tests that are there to find it: decisions that the simulation's breaks
 * (`test/sites/breaks`) and those of the store's stories leave out, since no run of both sites would be sure to meet them.
 */
import type { Break } from "#test/sites/breaks/break.ts";
import { historyCoreBreaks } from "./history-core-breaks.ts";

export interface CoreBreak extends Break {
  /** Below `test`, without what all names of tests end with. */
  readonly tests: readonly string[];
}

const modeMachine = { file: "src/appliance/local/mode-machine.ts" };
const autoMode = { file: "src/appliance/local/auto-mode.ts" };
const overflow = { file: "src/appliance/local/overflow.ts" };
const receiver = { file: "src/appliance/remote/receiver.ts" };

const modeBreaks: readonly CoreBreak[] = [
  {
    name: "call it sync before the remote has what came before",
    harm: "what was flushed before the switch is lost with the site",
    tests: ["appliance/local/mode-machine"],
    changes: [
      { ...modeMachine, from: "if (facts.durableSeq >= this.#enteringSeq) this", to: "if (facts.isLinkUp) this" },
    ],
  },
  {
    name: "leave sync without a link although writes are to wait",
    harm: "writes are answered that one site alone has, against what was asked for",
    tests: ["appliance/local/mode-machine"],
    changes: [{ ...modeMachine, from: 'linkLoss === "stall" || facts.nowMs', to: "facts.nowMs" }],
  },
  {
    name: "go back to sync at once when the link is back",
    harm: "a link that comes and goes makes hosts wait again and again",
    tests: ["appliance/local/mode-machine"],
    changes: [
      {
        ...modeMachine,
        from: "if (facts.isLinkUp && facts.nowMs - this.#linkChangedAtMs >= this.#policy.returnAfterMs) {",
        to: "if (facts.isLinkUp) {",
      },
    ],
  },
  {
    name: "never tighten what writers may leave while a switch is under way",
    harm: "a busy host is never in sync",
    tests: ["appliance/local/mode-machine"],
    changes: [{ ...modeMachine, from: "    if (halvings > 0) {\n", to: "    if (halvings < 0) {\n" }],
  },
  {
    name: "let auto step up again as soon as it has stepped down",
    harm: "the mode flaps for as long as the link is at its edge",
    tests: ["appliance/local/auto-mode"],
    changes: [{ ...autoMode, from: "Math.min(upAfterMsMax, this.#upAfterMs * 2)", to: "upAfterMs" }],
  },
  {
    name: "let auto go by a single slow answer",
    harm: "one hiccup of the link ends sync",
    tests: ["appliance/local/auto-mode"],
    changes: [{ ...autoMode, from: "const answersLookedAt = 5;", to: "const answersLookedAt = 1;" }],
  },
  {
    name: "let auto forget what the link could not carry",
    harm: "async comes back just to overflow once more",
    tests: ["appliance/local/auto-mode"],
    changes: [{ ...autoMode, from: "Math.min(bytesPerSecondMax, carried) * spare", to: "bytesPerSecondMax * spare" }],
  },
];

const applianceBreaks: readonly CoreBreak[] = [
  {
    name: "give up protection as soon as the spool is full",
    harm: "a short stop of the link costs points that it need not cost",
    tests: ["appliance/local/overflow"],
    changes: [
      { ...overflow, from: "    if (facts.nowMs - this.#fullSinceMs < overflowAfterMs) return false;\n", to: "" },
    ],
  },
  {
    name: "come back from an overflow to a spool that is still full",
    harm: "volumes are copied again and again, and never protected",
    tests: ["appliance/local/overflow"],
    changes: [
      {
        ...overflow,
        from: "    if (undurableBytes >= (this.#overflowedBytes ?? 0) * returnShare) return false;\n",
        to: "",
      },
    ],
  },
  {
    name: "go unprotected although writes are to wait",
    harm: "there are no points of a time for which there had to be some",
    tests: ["appliance/local/overflow"],
    changes: [{ ...overflow, from: 'if (overflow === "stall" || this', to: "if (this" }],
  },
  {
    name: "end intervals of a level in which nothing has come",
    harm: "an idle volume fills the journals with points that are all the same",
    tests: ["appliance/local/level-clock", "appliance/local/group-levels"],
    changes: [
      {
        file: "src/appliance/local/level-clock.ts",
        from: "if (hasNews && intervalOf",
        to: "if (intervalOf",
      },
    ],
  },
  {
    name: "take a writer of an earlier life",
    harm: "an appliance that was replaced writes over the one that took its place",
    tests: ["appliance/remote/receiver"],
    changes: [
      { ...receiver, from: "    if (hello.life < known.life) {\n", to: "    if (hello.life < known.life - 1) {\n" },
    ],
  },
  {
    name: "take two writers of one life",
    harm: "two copies of one appliance mix their writes",
    tests: ["appliance/remote/receiver"],
    changes: [{ ...receiver, from: " && hello.writer !== known.writer) {", to: " && hello.writer === undefined) {" }],
  },
  {
    name: "take old data of the local appliance that was put back",
    harm: "a group goes on from where it was weeks ago",
    tests: ["appliance/remote/receiver"],
    changes: [{ ...receiver, from: "    if (hello.epoch < epoch) {\n", to: "    if (hello.epoch < epoch - 1) {\n" }],
  },
  {
    name: "take what was sent again for news",
    harm: "a write that was overwritten meanwhile comes back",
    tests: ["appliance/remote/receiver"],
    changes: [{ ...receiver, from: "Math.max(0, received + 1 - batch.firstSeq)", to: "0" }],
  },
];

const wireBreaks: readonly CoreBreak[] = [
  {
    name: "never give up a side that is silent",
    harm: "a half-open link is never noticed",
    tests: ["wire/heartbeat"],
    changes: [
      {
        file: "src/wire/heartbeat.ts",
        from: "this.#silentBeats >= this.#silentBeatsMax",
        to: "this.#silentBeats > 1e9",
      },
    ],
  },
  {
    name: "take a frame that was altered on its way",
    harm: "wrong bytes pass for what a host wrote",
    tests: ["wire/frame-reader", "wire/bad-days"],
    changes: [
      {
        file: "src/wire/frame-reader.ts",
        from: "if (!hasSoundBody(this.#buffer, start, this.#header)) {",
        to: "if (bodyBytes < 0) {",
      },
    ],
  },
  {
    name: "let in whoever does not know the token",
    harm: "anybody may write to the journals",
    tests: ["wire/handshake"],
    changes: [
      {
        file: "src/wire/handshake.ts",
        from: "    if (!isSame(proof, body.subarray(0, proofBytes)))",
        to: "    if (body.length === 0)",
      },
    ],
  },
  {
    name: "never make writers slower before the spool is full",
    harm: "they stop all at once, for as long as it takes",
    tests: ["interceptor/throttle"],
    changes: [
      {
        file: "src/interceptor/throttle.ts",
        from: "  if (pressure <= throttlePressureMin) return 0;",
        to: "  if (pressure < 1) return 0;",
      },
    ],
  },
];

export const coreBreaks: readonly CoreBreak[] = [
  ...modeBreaks,
  ...applianceBreaks,
  ...wireBreaks,
  ...historyCoreBreaks,
];
