import { nodeClock } from "#src/host/node/clock.ts";
import { describeClockContract } from "#test/contract/clock.ts";
import { realDriver } from "#test/contract/driver.ts";

describeClockContract("the machine's clock", () => ({ clock: nodeClock, driver: realDriver }));
