/** Who asks, and what he may. */

/** From the least to the most: each may what those before it may. */
export const apiRoles = ["read", "operate", "admin"] as const;
export type ApiRole = (typeof apiRoles)[number];

export interface Caller {
  /** The name of his token, or one of `callerNames`. */
  readonly name: string;
  readonly role: ApiRole;
  /** Where he asks from. */
  readonly address: string;
  /** He may not even read: he asks for what is open to everybody. */
  readonly isStranger?: true;
}

/** As callers without a token of the book are called: no token may have such a name. */
export const callerNames = { withoutToken: "local", configured: "configuration" } as const;

export function mayDo(has: ApiRole, needs: ApiRole): boolean {
  return apiRoles.indexOf(has) >= apiRoles.indexOf(needs);
}
