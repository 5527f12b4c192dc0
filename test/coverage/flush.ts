/** Before each file of tests: what it has run is written down when it is through, since its process may be ended by force. */
import { takeCoverage } from "node:v8";
import { afterAll } from "vitest";

afterAll(() => takeCoverage());
