/** Loaded before a program under test: its wall clock goes wrong by as many milliseconds as a file of the test's says. */
import fs from "node:fs";

const file = process.env.CLOCK_OFFSET_FILE as string;
const { readFileSync } = fs;
const { now } = Date;

Date.now = () => now() + Number(readFileSync(file, "utf8"));
