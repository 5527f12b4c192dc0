/**
 * Loaded before a program under test: its wall clock goes wrong by as many milliseconds as a file of the test's says. Plain JavaScript,
 * for what strips types would be loaded by each thread for this one file.
 */
import fs from "node:fs";

const file = process.env.CLOCK_OFFSET_FILE;
const { readFileSync } = fs;
const { now } = Date;

Date.now = () => now() + Number(readFileSync(file, "utf8"));
