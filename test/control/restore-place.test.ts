import { expect, test } from "vitest";
import { wantedPlace } from "#src/control/restore-place.ts";

const request = { target: "nbd://site/disk", mayOverwrite: true };
const image = { sizeBytes: 4096, accept: async () => {} };

test("what a job has written itself is not asked after when it goes on, and what an earlier job has left is", () => {
  expect(wantedPlace(request, image, false).accept).toBe(image.accept);
  expect(wantedPlace(request, image, true).accept).toBeUndefined();
  expect(wantedPlace({ ...request, goesOn: true }, image, true).accept).toBe(image.accept);
  // Who goes on looks at each stretch itself.
  const careful = { ...request, mayOverwrite: false, goesOn: true } as const;
  expect(wantedPlace(careful, image, true)).toMatchObject({ mayOverwrite: true, accept: image.accept });
  expect(wantedPlace(careful, image, false).mayOverwrite).toBe(false);
});
