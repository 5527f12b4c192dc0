import { nodeRandomness } from "#src/host/node/randomness.ts";
import { describeRandomnessContract } from "#test/contract/randomness.ts";

describeRandomnessContract("the machine's randomness", () => nodeRandomness);
